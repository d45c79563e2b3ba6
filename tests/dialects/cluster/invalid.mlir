// RUN: snn-opt %s --verify-diagnostics --parsing-diagnostics --split-input-file | filecheck %s

// CHECK: error: cluster.program: there is no snn.network @m beside it
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @m {

}

// -----

// CHECK: error: snn.network: dt must be a positive number of seconds, not 0
cluster.program of @n {
}
snn.network @n dt 0.0 {
}

// -----

// CHECK: error: cluster.program: a program takes no block arguments; its inputs are cluster.input
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  ^bb0(%x : i32):
}

// -----

// CHECK: error: cluster.program: cluster.input @z is no input of the program of that type
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %z = cluster.input @z : !snn.signal<2, spike>
}

// -----

// CHECK: error: cluster.program: cluster.input @p is no input of the program of that type
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %z = cluster.input @p : !snn.signal<2, spike>
}

// -----

// CHECK: error: cluster.program: cluster.input @x is no input of the program of that type
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<2x1, spike>
}

// -----

// CHECK: error: cluster.program: Redefinition of symbol "c"
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<2, spike>
  %p = cluster.cluster @c axons(%x[0:2] delay 1) slices(neurons @p[0:2] rows [0:2] column 0) : (!snn.signal<2, spike>) -> !snn.signal<2, spike>
  %q = cluster.cluster @c axons(%x[0:2] delay 1) slices(neurons @p[0:2] rows [0:2] column 0) : (!snn.signal<2, spike>) -> !snn.signal<2, spike>
  cluster.output @y(%p) : !snn.signal<2, spike>
}

// -----

// CHECK: error: cluster.program: @c: reads something that no cluster or input of the program makes
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = "test.op"() : () -> !snn.signal<2, spike>
  %p = cluster.cluster @c axons(%x[0:2] delay 1) slices(neurons @p[0:2] rows [0:2] column 0) : (!snn.signal<2, spike>) -> !snn.signal<2, spike>
  cluster.output @y(%p) : !snn.signal<2, spike>
}

// -----

// CHECK: error: cluster.program: @y: reads something that no cluster or input of the program makes
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %p = "test.op"() : () -> !snn.signal<2, spike>
  cluster.output @y(%p) : !snn.signal<2, spike>
}

// -----

// CHECK: error: cluster.cluster: @c: 1 groups of axons for 2 signals
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<2, spike>
  %p = "cluster.cluster"(%x, %x) <{sym_name = "c", axons = [#cluster.axons<[0:2]>], slices = [#cluster.slice<neurons @p[0:2] rows [0:2] column 0>], operandSegmentSizes = array<i32: 2, 0>}> : (!snn.signal<2, spike>, !snn.signal<2, spike>) -> !snn.signal<2, spike>
}

// -----

// CHECK: error: cluster.cluster: @c: the slices do not add exactly the 0 partial sums given
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<2, spike>
  %p = cluster.cluster @c axons(%x[0:2] delay 1) slices(neurons @p[0:2] rows [0:2] column 0 adds 1) : (!snn.signal<2, spike>) -> !snn.signal<2, spike>
}

// -----

// CHECK: error: cluster.cluster: @c: there is one result per slice, of the slice's size and kind
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<2, spike>
  %p = cluster.cluster @c axons(%x[0:2] delay 1) slices(neurons @p[0:2] rows [0:2] column 0) : (!snn.signal<2, spike>) -> !snn.signal<1, spike>
}

// -----

// CHECK: error: cluster.cluster: @c: two slices use the same column
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<2, spike>
  %p, %q = cluster.cluster @c axons(%x[0:2] delay 1) slices(neurons @p[0] rows [0:2] column 1, neurons @p[1] rows [0:2] column 1) : (!snn.signal<2, spike>) -> (!snn.signal<1, spike>, !snn.signal<1, spike>)
}

// -----

// CHECK: error: cluster.cluster: @c: slice of @p uses row 2 of 2
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<2, spike>
  %p = cluster.cluster @c axons(%x[0:2] delay 1) slices(neurons @p[0:2] rows [0:3] column 0) : (!snn.signal<2, spike>) -> !snn.signal<2, spike>
}

// -----

// CHECK: error: cluster.cluster: @c: a slice of 1 neurons adds 1 partial sums at a time
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<2, spike>
  %s = cluster.cluster @s axons(%x[0:2] delay 1) slices(partial @p[0:2] rows [0:2] column 0) : (!snn.signal<2, spike>) -> !cluster.partial<2>
  %p = cluster.cluster @c axons() sums(%s) slices(neurons @p[0] rows [] column 0 adds 1) : (!cluster.partial<2>) -> !snn.signal<1, spike>
}

// -----

// CHECK: error: cluster.program: @c: the program has no population @q
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<2, spike>
  %p = cluster.cluster @c axons(%x[0:2] delay 1) slices(neurons @q[0:2] rows [0:2] column 0) : (!snn.signal<2, spike>) -> !snn.signal<2, spike>
}

// -----

// CHECK: error: cluster.program: @c: the program has no population @x
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<2, spike>
  %p = cluster.cluster @c axons(%x[0:2] delay 1) slices(neurons @x[0:2] rows [0:2] column 0) : (!snn.signal<2, spike>) -> !snn.signal<2, spike>
}

// -----

// CHECK: error: cluster.program: @c: reads neurons of @x that the signal does not carry
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<2, spike>
  %p = cluster.cluster @c axons(%x[0:3] delay 1) slices(neurons @p[0:2] rows [0:2] column 0) : (!snn.signal<2, spike>) -> !snn.signal<2, spike>
}

// -----

// CHECK: error: cluster.program: @c: an axon of @x feeds two rows
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<2, spike>
  %p = cluster.cluster @c axons(%x[0:2] delay 1, %x[1] delay 1) slices(neurons @p[0:2] rows [0:2] column 0) : (!snn.signal<2, spike>, !snn.signal<2, spike>) -> !snn.signal<2, spike>
}

// -----

// CHECK: error: cluster.program: @c: @p has only 2 neurons
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<2, spike>
  %p = cluster.cluster @c axons(%x[0:2] delay 1) slices(neurons @p[1:3] rows [0:2] column 0) : (!snn.signal<2, spike>) -> !snn.signal<2, spike>
}

// -----

// CHECK: error: cluster.program: neuron 1 of @p is in 0 slices instead of one
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<2, spike>
  %p = cluster.cluster @c axons(%x[0:2] delay 1) slices(neurons @p[0] rows [0:2] column 0) : (!snn.signal<2, spike>) -> !snn.signal<1, spike>
}

// -----

// CHECK: error: cluster.program: neuron 0 of @p is in 2 slices instead of one
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<2, spike>
  %p, %q = cluster.cluster @c axons(%x[0:2] delay 1) slices(neurons @p[0:2] rows [0:2] column 0, neurons @p[0] rows [0:2] column 2) : (!snn.signal<2, spike>) -> (!snn.signal<2, spike>, !snn.signal<1, spike>)
}

// -----

// CHECK: error: cluster.program: neuron 0 of @p is in 0 slices instead of one
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {

}

// -----

// CHECK: error: cluster.program: the synapse from @x[1] to @p[0] (delay 1) is on 0 crossbars instead of one
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<2, spike>
  %p = cluster.cluster @c axons(%x[0:2] delay 1) slices(neurons @p[0:2] rows [0] column 0) : (!snn.signal<2, spike>) -> !snn.signal<2, spike>
  cluster.output @y(%p) : !snn.signal<2, spike>
}

// -----

// CHECK: error: cluster.program: the synapse from @x[0] to @p[1] (delay 1) is on 2 crossbars instead of one
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<2, spike>
  %s = cluster.cluster @s axons(%x[0] delay 1) slices(partial @p[1] rows [0] column 0) : (!snn.signal<2, spike>) -> !cluster.partial<1>
  %a = cluster.cluster @a axons(%x[0:2] delay 1) slices(neurons @p[0] rows [0:2] column 0) : (!snn.signal<2, spike>) -> !snn.signal<1, spike>
  %b = cluster.cluster @b axons(%x[0:2] delay 1) sums(%s) slices(neurons @p[1] rows [0:2] column 0 adds 1) : (!snn.signal<2, spike>, !cluster.partial<1>) -> !snn.signal<1, spike>
  cluster.output @y(%a, %b) : !snn.signal<1, spike>, !snn.signal<1, spike>
}

// -----

// CHECK: error: cluster.program: the synapse from @x[0] to @p[1] (delay 0) is on 0 crossbars instead of one
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %r = snn.slice %x [1, 0] : !snn.signal<2, spike> -> !snn.signal<2, spike>
  %c = snn.scale %r by 1.0 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<2, spike>
  %p, %q = cluster.cluster @c axons(%x[0:2]) slices(neurons @p[0] rows [0:2] column 0, neurons @p[1] rows [1] column 1) : (!snn.signal<2, spike>) -> (!snn.signal<1, spike>, !snn.signal<1, spike>)
}

// -----

// CHECK: error: cluster.program: @c: slice of @p has a row of @x (delay 0) that the population does not read
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<2, spike>
  %p = cluster.cluster @c axons(%x[0:2] ) slices(neurons @p[0:2] rows [0:2] column 0) : (!snn.signal<2, spike>) -> !snn.signal<2, spike>
  cluster.output @y(%p) : !snn.signal<2, spike>
}

// -----

// CHECK: error: cluster.program: @c: slice of @p has a row of @p (delay 1) that the population does not read
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<2, spike>
  %p = cluster.cluster @c axons(%p[0:2] delay 1) slices(neurons @p[0:2] rows [0:2] column 0) : (!snn.signal<2, spike>) -> !snn.signal<2, spike>
  cluster.output @y(%p) : !snn.signal<2, spike>
}

// -----

// CHECK: error: cluster.program: reads a projection with a bias, or with a scale per target
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> bias #snn.tensor<"b", 2xf32, [1, 2]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %d = snn.scale %c by 1.0 : !snn.signal<2, f64> -> !snn.signal<2, f64>
  %p = snn.if @p(%d) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<2, spike>
  %p = cluster.cluster @c axons(%x[0:2] delay 1) slices(neurons @p[0:2] rows [0:2] column 0) : (!snn.signal<2, spike>) -> !snn.signal<2, spike>
  cluster.output @y(%p) : !snn.signal<2, spike>
}

// -----

// CHECK: error: cluster.program: @c: slice of @p has a row of @x[1] (delay 1) that none of its neurons reads
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.sparse %x weights #snn.tensor<"w", 1xf32, [1.0]> from #snn.tensor<"f", 1xi64, [0]> to #snn.tensor<"t", 1xi64, [1]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<2, spike>
  %p = cluster.cluster @c axons(%x[0:2] delay 1) slices(neurons @p[0:2] rows [0:2] column 0) : (!snn.signal<2, spike>) -> !snn.signal<2, spike>
  cluster.output @y(%p) : !snn.signal<2, spike>
}

// -----

// CHECK: error: cluster.program: output @y reads a part or a delayed copy of @p; a machine returns whole populations as they emit
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  %d = snn.delay %p by 1 : !snn.signal<2, spike>
  snn.output @y %d : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<2, spike>
  %p = cluster.cluster @c axons(%x[0:2] delay 1) slices(neurons @p[0:2] rows [0:2] column 0) : (!snn.signal<2, spike>) -> !snn.signal<2, spike>
  cluster.output @y(%p) : !snn.signal<2, spike>
}

// -----

// CHECK: error: cluster.program: @c: slice of @p has a row of @x (delay 1) that the population does not read
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %d = snn.delay %c by 1 : !snn.signal<2, f64>
  %p = snn.if @p(%d) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<2, spike>
  %p = cluster.cluster @c axons(%x[0:2] delay 1) slices(neurons @p[0:2] rows [0:2] column 0) : (!snn.signal<2, spike>) -> !snn.signal<2, spike>
  cluster.output @y(%p) : !snn.signal<2, spike>
}

// -----

// CHECK: error: cluster.program: @s: a partial sum is added in exactly one place
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<2, spike>
  %s = cluster.cluster @s axons(%x[0:2] delay 1) slices(partial @p[0:2] rows [0:2] column 0) : (!snn.signal<2, spike>) -> !cluster.partial<2>
  %p = cluster.cluster @c axons() slices(neurons @p[0:2] rows [] column 0) : () -> !snn.signal<2, spike>
  cluster.output @y(%p) : !snn.signal<2, spike>
}

// -----

// CHECK: error: cluster.program: @s: a partial sum is added by another cluster
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<2, spike>
  %s = cluster.cluster @s axons(%x[0:2] delay 1) slices(partial @p[0:2] rows [0:2] column 0) : (!snn.signal<2, spike>) -> !cluster.partial<2>
  "test.op"(%s) : (!cluster.partial<2>) -> ()
  %p = cluster.cluster @c axons() slices(neurons @p[0:2] rows [] column 0) : () -> !snn.signal<2, spike>
  cluster.output @y(%p) : !snn.signal<2, spike>
}

// -----

// CHECK: error: cluster.program: @c: adds partial sums of other neurons than its own
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<2, spike>
  %s = cluster.cluster @s axons(%x[0:2] delay 1) slices(partial @p[0:2] rows [0:2] column 0) : (!snn.signal<2, spike>) -> !cluster.partial<2>
  %p = cluster.cluster @c axons() sums(%s) slices(neurons @p[1, 0] rows [] column 0 adds 1) : (!cluster.partial<2>) -> !snn.signal<2, spike>
  cluster.output @y(%p) : !snn.signal<2, spike>
}

// -----

// CHECK: error: cluster.program: the outputs are [], those of the program ['y']
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<2, spike>
  %p = cluster.cluster @c axons(%x[0:2] delay 1) slices(neurons @p[0:2] rows [0:2] column 0) : (!snn.signal<2, spike>) -> !snn.signal<2, spike>
}

// -----

// CHECK: error: cluster.program: output @y does not carry exactly the neurons of @p
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<2, spike>
  %p = cluster.cluster @c axons(%x[0:2] delay 1) slices(neurons @p[0:2] rows [0:2] column 0) : (!snn.signal<2, spike>) -> !snn.signal<2, spike>
  cluster.output @y(%x) : !snn.signal<2, spike>
}

// -----

// CHECK: error: cluster.program: output @y does not carry exactly the neurons of @p
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<2, spike>
  %p = cluster.cluster @c axons(%x[0:2] delay 1) slices(neurons @p[0:2] rows [0:2] column 0) : (!snn.signal<2, spike>) -> !snn.signal<2, spike>
  cluster.output @y(%p, %p) : !snn.signal<2, spike>, !snn.signal<2, spike>
}

// -----

// CHECK: error: cluster.program: @c needs 2 rows and 2 columns, a crossbar has 1 rows and 2 columns
builtin.module attributes {platform.machine = #platform.machine<"m", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 1, columns = 2, max_delay = 1), buffers(events = 64), time(unit = "ns", read = 10)>} {
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<2, spike>
  %p = cluster.cluster @c axons(%x[0:2] delay 1) slices(neurons @p[0:2] rows [0:2] column 0) : (!snn.signal<2, spike>) -> !snn.signal<2, spike>
  cluster.output @y(%p) : !snn.signal<2, spike>
}
}

// -----

// CHECK: error: cluster.program: @c needs 2 rows and 3 columns, a crossbar has 2 rows and 2 columns
builtin.module attributes {platform.machine = #platform.machine<"m", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 2, columns = 2, max_delay = 1), buffers(events = 64), time(unit = "ns", read = 10)>} {
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<2, spike>
  %p = cluster.cluster @c axons(%x[0:2] delay 1) slices(neurons @p[0:2] rows [0:2] column 1) : (!snn.signal<2, spike>) -> !snn.signal<2, spike>
  cluster.output @y(%p) : !snn.signal<2, spike>
}
}

// -----

// CHECK: error: cluster.program: @c has a delay of 1 steps, the machine's longest is 0
builtin.module attributes {platform.machine = #platform.machine<"m", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 2, columns = 2, max_delay = 0), buffers(events = 64), time(unit = "ns", read = 10)>} {
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<2, spike>
  %p = cluster.cluster @c axons(%x[0:2] delay 1) slices(neurons @p[0:2] rows [0:2] column 0) : (!snn.signal<2, spike>) -> !snn.signal<2, spike>
  cluster.output @y(%p) : !snn.signal<2, spike>
}
}

// -----

// CHECK: error: cluster.program: @c is placed on a crossbar that the machine does not have
builtin.module attributes {platform.machine = #platform.machine<"m", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 2, columns = 2, max_delay = 1), buffers(events = 64), time(unit = "ns", read = 10)>} {
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<2, spike>
  %p = cluster.cluster @c axons(%x[0:2] delay 1) slices(neurons @p[0:2] rows [0:2] column 0) at [2, 0] crossbar 0 : (!snn.signal<2, spike>) -> !snn.signal<2, spike>
  cluster.output @y(%p) : !snn.signal<2, spike>
}
}

// -----

// CHECK: error: cluster.program: @c is placed on a crossbar that the machine does not have
builtin.module attributes {platform.machine = #platform.machine<"m", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 2, columns = 2, max_delay = 1), buffers(events = 64), time(unit = "ns", read = 10)>} {
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<2, spike>
  %p = cluster.cluster @c axons(%x[0:2] delay 1) slices(neurons @p[0:2] rows [0:2] column 0) at [1, 0] crossbar 1 : (!snn.signal<2, spike>) -> !snn.signal<2, spike>
  cluster.output @y(%p) : !snn.signal<2, spike>
}
}

// -----

// CHECK: error: cluster.program: @e and @c are on the same crossbar
builtin.module attributes {platform.machine = #platform.machine<"m", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 2, columns = 2, max_delay = 1), buffers(events = 64), time(unit = "ns", read = 10)>} {
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<2, spike>
  %p = cluster.cluster @c axons(%x[0:2] delay 1) slices(neurons @p[0:2] rows [0:2] column 0) at [1, 0] crossbar 0 : (!snn.signal<2, spike>) -> !snn.signal<2, spike>
  cluster.cluster @e axons() slices() at [1, 0] crossbar 0 : () -> ()
  cluster.output @y(%p) : !snn.signal<2, spike>
}
}

// -----

// CHECK: error: cluster.program: @c: has no place, so nothing can be routed
builtin.module attributes {platform.machine = #platform.machine<"m", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 2, columns = 2, max_delay = 1), buffers(events = 64), time(unit = "ns", read = 10)>} {
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<2, spike>
  %p = cluster.cluster @c axons(%x[0:2] delay 1) slices(neurons @p[0:2] rows [0:2] column 0) routes(0 to host) : (!snn.signal<2, spike>) -> !snn.signal<2, spike>
  cluster.output @y(%p) : !snn.signal<2, spike>
}
}

// -----

// CHECK: error: cluster.program: @c: a route belongs to a result that does not exist
builtin.module attributes {platform.machine = #platform.machine<"m", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 2, columns = 2, max_delay = 1), buffers(events = 64), time(unit = "ns", read = 10)>} {
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = cluster.input @x routes(0 to tile [0, 0]) : !snn.signal<2, spike>
  %p = cluster.cluster @c axons(%x[0:2] delay 1) slices(neurons @p[0:2] rows [0:2] column 0) at [0, 0] crossbar 0 routes(1 to host) : (!snn.signal<2, spike>) -> !snn.signal<2, spike>
  cluster.output @y(%p) : !snn.signal<2, spike>
}
}

// -----

// CHECK: error: cluster.program: router [0, 0] has 2 table entries, the machine has room for 1
builtin.module attributes {platform.machine = #platform.machine<"m", tiles(mesh = [2, 1], crossbars = 1, table_entries = 1), crossbar(rows = 2, columns = 2, max_delay = 1), buffers(events = 64), time(unit = "ns", read = 10)>} {
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = cluster.input @x routes(0 to tile [0, 0]) : !snn.signal<2, spike>
  %p = cluster.cluster @c axons(%x[0:2] delay 1) slices(neurons @p[0:2] rows [0:2] column 0) at [0, 0] crossbar 0 routes(0 to host) : (!snn.signal<2, spike>) -> !snn.signal<2, spike>
  cluster.output @y(%p) : !snn.signal<2, spike>
}
}

// -----

// CHECK: error: cluster.program: @c: result 0 has no route to the host
builtin.module attributes {platform.machine = #platform.machine<"m", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 2, columns = 2, max_delay = 1), buffers(events = 64), time(unit = "ns", read = 10)>} {
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = cluster.input @x routes(0 to tile [0, 0]) : !snn.signal<2, spike>
  %p = cluster.cluster @c axons(%x[0:2] delay 1) slices(neurons @p[0:2] rows [0:2] column 0) at [0, 0] crossbar 0 : (!snn.signal<2, spike>) -> !snn.signal<2, spike>
  cluster.output @y(%p) : !snn.signal<2, spike>
}
}

// -----

// CHECK: error: cluster.program: @x: result 0 has no route to tile [0, 0]
builtin.module attributes {platform.machine = #platform.machine<"m", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 2, columns = 2, max_delay = 1), buffers(events = 64), time(unit = "ns", read = 10)>} {
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<2, spike>
  %p = cluster.cluster @c axons(%x[0:2] delay 1) slices(neurons @p[0:2] rows [0:2] column 0) at [0, 0] crossbar 0 routes(0 to host) : (!snn.signal<2, spike>) -> !snn.signal<2, spike>
  cluster.output @y(%p) : !snn.signal<2, spike>
}
}

// -----

// CHECK: error: cluster.program: @x: result 0 has a route that nothing reads to tile [1, 0]
builtin.module attributes {platform.machine = #platform.machine<"m", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 2, columns = 2, max_delay = 1), buffers(events = 64), time(unit = "ns", read = 10)>} {
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = cluster.input @x routes(0 to tile [0, 0] and 0 to tile [1, 0]) : !snn.signal<2, spike>
  %p = cluster.cluster @c axons(%x[0:2] delay 1) slices(neurons @p[0:2] rows [0:2] column 0) at [0, 0] crossbar 0 routes(0 to host) : (!snn.signal<2, spike>) -> !snn.signal<2, spike>
  cluster.output @y(%p) : !snn.signal<2, spike>
}
}

// -----

// CHECK: error: cluster.program: @c: a result has two routes to one destination
builtin.module attributes {platform.machine = #platform.machine<"m", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 2, columns = 2, max_delay = 1), buffers(events = 64), time(unit = "ns", read = 10)>} {
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [1, 2, 3, 4]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  snn.output @y %p : !snn.signal<2, spike>
}
cluster.program of @n {
  %x = cluster.input @x routes(0 to tile [0, 0]) : !snn.signal<2, spike>
  %p = cluster.cluster @c axons(%x[0:2] delay 1) slices(neurons @p[0:2] rows [0:2] column 0) at [0, 0] crossbar 0 routes(0 to host and 0 to host) : (!snn.signal<2, spike>) -> !snn.signal<2, spike>
  cluster.output @y(%p) : !snn.signal<2, spike>
}
}

// -----

// CHECK: error: !cluster.partial: there are 1 to 2147483647 partial sums, not 0
"test.op"() {a = !cluster.partial<0>} : () -> ()

// -----

// CHECK: error: #cluster.axons: a delay is a number of steps, 0 or more
"test.op"() {a = #cluster.axons<[0] delay -1>} : () -> ()

// -----

// CHECK: error: #cluster.axons: a group of axons has at least one neuron
"test.op"() {a = #cluster.axons<[]>} : () -> ()

// -----

// CHECK: error: #cluster.slice: a slice has at least one neuron
"test.op"() {a = #cluster.slice<neurons @p[] rows [] column 0>} : () -> ()

// -----

// CHECK: error: #cluster.slice: column 2147483648 is out of range
"test.op"() {a = #cluster.slice<neurons @p[0] rows [] column 2147483648>} : () -> ()

// -----

// CHECK: error: #cluster.slice: a partial sum adds no other partial sums
"test.op"() {a = #cluster.slice<partial @p[0] rows [] column 0 adds 1>} : () -> ()

// -----

// CHECK: error: #cluster.route: a route has each destination once
"test.op"() {a = #cluster.route<0 to tile [1, 1], host, tile [1, 1]>} : () -> ()

// -----

// CHECK: error: a router is [x, y]
"test.op"() {a = #cluster.place<[0] crossbar 0>} : () -> ()

// -----

// CHECK: error: cluster.program: @c: slice of @p: the kernel has no place 5
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<1x3x3, spike>
  %c = snn.conv2d %x weights #snn.tensor<"w", 1x1x2x2xi8, [1, 2, 3, 4]> scale 1.0 : !snn.signal<1x3x3, spike> -> !snn.signal<1x2x2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<1x2x2, spike>
  snn.output @y %p : !snn.signal<1x2x2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<1x3x3, spike>
  %p = cluster.cluster @c axons(%x[0:9] windowed) slices(neurons @p[0:4] rows [0:4] column 0 reads 4 kernel [0:2, 3, 5] windows [0:9]) : (!snn.signal<1x3x3, spike>) -> !snn.signal<4, spike>
  cluster.output @y(%p) : !snn.signal<4, spike>
}

// -----

// CHECK: error: cluster.program: @c: slice of @p: its windows pass over neurons of @x that it lacks
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<1x3x3, spike>
  %c = snn.conv2d %x weights #snn.tensor<"w", 1x1x2x2xi8, [1, 2, 3, 4]> scale 1.0 : !snn.signal<1x3x3, spike> -> !snn.signal<1x2x2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<1x2x2, spike>
  snn.output @y %p : !snn.signal<1x2x2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<1x3x3, spike>
  %p = cluster.cluster @c axons(%x[0:8] windowed) slices(neurons @p[0:4] rows [0:4] column 0 reads 4 kernel [0:4] windows [0:8]) : (!snn.signal<1x3x3, spike>) -> !snn.signal<4, spike>
  cluster.output @y(%p) : !snn.signal<4, spike>
}

// -----

// CHECK: error: cluster.program: the synapse from @x[1] to @p[0] (delay 0) is on 0 crossbars instead of one
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<1x3x3, spike>
  %c = snn.conv2d %x weights #snn.tensor<"w", 1x1x2x2xi8, [1, 2, 3, 4]> scale 1.0 : !snn.signal<1x3x3, spike> -> !snn.signal<1x2x2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<1x2x2, spike>
  snn.output @y %p : !snn.signal<1x2x2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<1x3x3, spike>
  %p = cluster.cluster @c axons(%x[0:9] windowed) slices(neurons @p[0:4] rows [0:2] column 0 reads 4 kernel [0, 3] windows [0:2, 3:6, 7:9]) : (!snn.signal<1x3x3, spike>) -> !snn.signal<4, spike>
  cluster.output @y(%p) : !snn.signal<4, spike>
}

// -----

// CHECK: error: cluster.cluster: @c: slice of @p: its kernel sits on rows that axons or other kernels use
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<1x3x3, spike>
  %c = snn.conv2d %x weights #snn.tensor<"w", 1x1x2x2xi8, [1, 2, 3, 4]> scale 1.0 : !snn.signal<1x3x3, spike> -> !snn.signal<1x2x2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<1x2x2, spike>
  snn.output @y %p : !snn.signal<1x2x2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<1x3x3, spike>
  %p = cluster.cluster @c axons(%x[0:9]) slices(neurons @p[0:4] rows [0:4] column 0 reads 4 kernel [0:4] windows [0:9]) : (!snn.signal<1x3x3, spike>) -> !snn.signal<4, spike>
  cluster.output @y(%p) : !snn.signal<4, spike>
}

// -----

// CHECK: error: cluster.cluster: @c: slice of @p: windowed axon 9 of 9
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<1x3x3, spike>
  %c = snn.conv2d %x weights #snn.tensor<"w", 1x1x2x2xi8, [1, 2, 3, 4]> scale 1.0 : !snn.signal<1x3x3, spike> -> !snn.signal<1x2x2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<1x2x2, spike>
  snn.output @y %p : !snn.signal<1x2x2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<1x3x3, spike>
  %p = cluster.cluster @c axons(%x[0:9] windowed) slices(neurons @p[0:4] rows [0:4] column 0 reads 4 kernel [0:4] windows [0:10]) : (!snn.signal<1x3x3, spike>) -> !snn.signal<4, spike>
  cluster.output @y(%p) : !snn.signal<4, spike>
}

// -----

// CHECK: error: cluster.program: @c: slice of @p: its neurons are not the same positions of some channels
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<1x3x3, spike>
  %c = snn.conv2d %x weights #snn.tensor<"w", 1x1x2x2xi8, [1, 2, 3, 4]> scale 1.0 : !snn.signal<1x3x3, spike> -> !snn.signal<1x2x2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<1x2x2, spike>
  snn.output @y %p : !snn.signal<1x2x2, spike>
}
cluster.program of @n {
  %x = cluster.input @x : !snn.signal<1x3x3, spike>
  %p = cluster.cluster @c axons(%x[0:9] windowed) slices(neurons @p[0:4] rows [0:4] column 0 reads 2 kernel [0:4] windows [0:9]) : (!snn.signal<1x3x3, spike>) -> !snn.signal<4, spike>
  cluster.output @y(%p) : !snn.signal<4, spike>
}

// -----

// CHECK: error: cluster.program: @c0: a slice emits signals of i6, @copy of i4
snn.network @echo dt 0.001 {
  %x = snn.input @pixels coded (step = 1.0) : !snn.signal<2, i4>
  %c = snn.scale %x by 2.0 : !snn.signal<2, i4> -> !snn.signal<2, f64>
  %s = snn.relu @copy(%c) coded (step = 1.0) : !snn.signal<2, i4>
  snn.output @label %s : !snn.signal<2, i4>
}
cluster.program of @echo {
  %p = cluster.input @pixels : !snn.signal<2, i4>
  %q = cluster.cluster @c0 axons(%p[0:2]) slices(neurons @copy[0:2] rows [0:2] column 0) : (!snn.signal<2, i4>) -> !snn.signal<2, i6>
  cluster.output @label(%q) : !snn.signal<2, i6>
}
