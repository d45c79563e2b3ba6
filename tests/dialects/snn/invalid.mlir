// RUN: snn-opt %s --verify-diagnostics --parsing-diagnostics --split-input-file | filecheck %s

// CHECK: error: snn.network: dt must be a positive number of seconds, not 0
snn.network @n dt 0.0 {

}

// -----

// CHECK: error: snn.network: dt must be a positive number of seconds, not -0.001
snn.network @n dt -0.001 {

}

// -----

// CHECK: error: snn.network: dt must be a positive number of seconds, not nan
"snn.network"() <{sym_name = "n", dt = 0x7FF8000000000000 : f64}> ({
^bb0:
}) : () -> ()

// -----

// CHECK: error: this number is too large for f64
snn.network @n dt 1.0e999 {

}

// -----

// CHECK: error: snn.network: an inference takes 1 to 2147483647 steps, not 0
snn.network @n dt 0.001 steps 0 {

}

// -----

// CHECK: error: snn.network: a network takes no block arguments; its inputs are snn.input
snn.network @n dt 0.001 {
  ^bb0(%x : !snn.signal<2, spike>):
}

// -----

// CHECK: error: snn.network: Redefinition of symbol "x"
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %y = snn.input @x : !snn.signal<2, spike>
}

// -----

// CHECK: error: snn.network: zero-delay cycle {{(@a|@b|snn.scale) -> .*@a.*}}: one of its connections needs a delay of at least 1 step
snn.network @n dt 0.001 {
  %ab = snn.scale %a by 1.0 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %ba = snn.scale %b by 1.0 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %a = snn.if @a(%ba) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  %b = snn.if @b(%ab) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
}

// -----

// CHECK: error: snn.network: zero-delay cycle @self -> snn.delay -> snn.scale -> @self: one of its
snn.network @n dt 0.001 {
  %late = snn.delay %p by 0 : !snn.signal<2, spike>
  %c = snn.scale %late by 1.0 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @self(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
}

// -----

// CHECK: error: snn.network: the cycle snn.delay -> snn.delay has no population in it, so it carries nothing
snn.network @n dt 0.001 {
  %d = snn.delay %d by 1 : !snn.signal<2, spike>
}

// -----

// CHECK: error: snn.input: an input brings spikes, codes or currents (f64)
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, f32>
}

// -----

// CHECK: error: snn.input: activity counts 3 neurons of 2
snn.network @n dt 0.001 {
  %x = snn.input @x activity <2 steps, 3 spikes, peak 2, #snn.tensor<"c", 3xi64, [1, 1, 1]>> : !snn.signal<2, spike>
}

// -----

// CHECK: error: snn.scale: a delay is a number of steps from 0 to 2147483647, not -1
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.scale %x by 1.0 delay -1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
}

// -----

// CHECK: error: snn.scale: a projection makes a current; give its result the element f64
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.scale %x by 1.0 : !snn.signal<2, spike> -> !snn.signal<2, spike>
}

// -----

// CHECK: error: snn.scale: a projection makes a current; give its result the element f64
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.scale %x by 1.0 : !snn.signal<2, spike> -> !snn.signal<2, f32>
}

// -----

// CHECK: error: snn.dense: weights 'w' holds a value that is not finite (NaN?) at [1, 0]
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x2xf32, "0x00000000000000000000C07F00000000"> : !snn.signal<2, spike> -> !snn.signal<2, f64>
}

// -----

// CHECK: error: snn.scale: weights is not finite
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = "snn.scale"(%x) <{weights = 0x7FF0000000000000 : f64, delay = #builtin.int<0>}> : (!snn.signal<2, spike>) -> !snn.signal<2, f64>
}

// -----

// CHECK: error: snn.scale: bias 'b' has 3 entries for 2 targets
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.scale %x by 1.0 bias #snn.tensor<"b", 3xf32, [1.0, 1.0, 1.0]> : !snn.signal<2, spike> -> !snn.signal<2, f64>
}

// -----

// CHECK: error: snn.scale: scale 's' has 1 entries for 2 targets
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.scale %x by 1.0 scale #snn.tensor<"s", 1xf32, [1.0]> : !snn.signal<2, spike> -> !snn.signal<2, f64>
}

// -----

// CHECK: error: snn.dense: integer weights need a scale
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 1x2xi8, [1, 2]> : !snn.signal<2, spike> -> !snn.signal<1, f64>
}

// -----

// CHECK: error: snn.scale: a scale must be positive
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.scale %x by 1.0 scale #snn.tensor<"s", 2xf32, [1.0, 0.0]> : !snn.signal<2, spike> -> !snn.signal<2, f64>
}

// -----

// CHECK: error: snn.dense: the weights of this projection are a tensor
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights 1.0 : !snn.signal<2, spike> -> !snn.signal<2, f64>
}

// -----

// CHECK: error: snn.dense: weights 'w' are 2x1, but the signals need 1x2 (targets x sources)
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 2x1xf32, [1.0, 2.0]> : !snn.signal<2, spike> -> !snn.signal<1, f64>
}

// -----

// CHECK: error: snn.scale: a one-to-one projection keeps the shape of its source
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.scale %x by 1.0 : !snn.signal<2, spike> -> !snn.signal<3, f64>
}

// -----

// CHECK: error: snn.scale: weights 'w' have 3 entries for 2 sources
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.scale %x by #snn.tensor<"w", 3xf32, [1.0, 2.0, 3.0]> : !snn.signal<2, spike> -> !snn.signal<2, f64>
}

// -----

// CHECK: error: expected a number or a #snn.tensor
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.scale %x by "w" : !snn.signal<2, spike> -> !snn.signal<2, f64>
}

// -----

// CHECK: error: this number is too large for f64
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.scale %x by 10000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000 : !snn.signal<2, spike> -> !snn.signal<2, f64>
}

// -----

// CHECK: error: snn.scale: f32 should be of base attribute f64
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = "snn.scale"(%x) <{weights = 1.0 : f32, delay = #builtin.int<0>}> : (!snn.signal<2, spike>) -> !snn.signal<2, f64>
}

// -----

// CHECK: error: snn.slice: a slice has at least one neuron
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %s = snn.slice %x [] : !snn.signal<2, spike> -> !snn.signal<1, spike>
}

// -----

// CHECK: error: snn.slice: indices [0:3] reach beyond 2 neurons
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %s = snn.slice %x [0:3] : !snn.signal<2, spike> -> !snn.signal<3, spike>
}

// -----

// CHECK: error: snn.slice: the result holds 1 neurons of the source's element
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %s = snn.slice %x [1] : !snn.signal<2, spike> -> !snn.signal<2, spike>
}

// -----

// CHECK: error: snn.flatten: the result has the source's element, and its shape merges neighbouring dimensions of the source
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %f = snn.flatten %x : !snn.signal<2, spike> -> !snn.signal<2x1, spike>
}

// -----

// CHECK: error: snn.add: a sum needs at least one input
snn.network @n dt 0.001 {
  %t = "snn.add"() : () -> !snn.signal<2, f64>
}

// -----

// CHECK: error: snn.add: the inputs and the result of a sum have one shape
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.scale %x by 1.0 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %t = "snn.add"(%c) : (!snn.signal<2, f64>) -> !snn.signal<3, f64>
}

// -----

// CHECK: error: snn.add: a sum is a current; give its result the element f64
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %t = snn.add %x, %x : !snn.signal<2, spike>
}

// -----

// CHECK: error: snn.delay: a delay is a number of steps from 0 to 2147483647, not -1
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %d = snn.delay %x by -1 : !snn.signal<2, spike>
}

// -----

// CHECK: error: snn.delay: a delay keeps the type of its signal
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %d = "snn.delay"(%x) <{delay = #builtin.int<1>}> : (!snn.signal<2, spike>) -> !snn.signal<3, spike>
}

// -----

// CHECK: error: snn.if emits spikes
snn.network @n dt 0.001 {
  %p = snn.if @p() with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, f64>
}

// -----

// CHECK: error: a population emits a !snn.signal
snn.network @n dt 0.001 {
  %p = snn.if @p() with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : i32
}

// -----

// CHECK: error: snn.if: inputs of @p must be currents (f64) of its own shape
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %p = "snn.if"(%x) <{sym_name = "p", r = 1.0 : f64, threshold = 1.0 : f64, v_reset = 0.0 : f64, semantics = #snn.semantics<nir>}> : (!snn.signal<2, spike>) -> !snn.signal<2, spike>
}

// -----

// CHECK: error: operand is used with type !snn.signal<3, f64>, but has been previously used or defined with type !snn.signal<2, f64>
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.scale %x by 1.0 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<3, spike>
}

// -----

// CHECK: error: snn.if takes the parameters r, threshold, v_reset
snn.network @n dt 0.001 {
  %p = snn.if @p() with (r = 1.0, threshold = 1.0) using <nir> : !snn.signal<2, spike>
}

// -----

// CHECK: error: 'r' is given twice
snn.network @n dt 0.001 {
  %p = snn.if @p() with (r = 1.0, threshold = 1.0, v_reset = 0.0, r = 2.0) using <nir> : !snn.signal<2, spike>
}

// -----

// CHECK: error: snn.if: threshold of @p has 3 entries for 2 neurons
snn.network @n dt 0.001 {
  %p = snn.if @p() with (r = 1.0, threshold = #snn.tensor<"t", 3xf64, [1.0, 1.0, 1.0]>, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
}

// -----

// CHECK: error: snn.if: r of @p is not finite
snn.network @n dt 0.001 {
  %p = "snn.if"() <{sym_name = "p", r = 0x7FF8000000000000 : f64, threshold = 1.0 : f64, v_reset = 0.0 : f64, semantics = #snn.semantics<nir>}> : () -> !snn.signal<2, spike>
}

// -----

// CHECK: error: snn.if: activity counts 1 neurons of 2
snn.network @n dt 0.001 {
  %p = snn.if @p() with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> activity <1 steps, 1 spikes, peak 1, #snn.tensor<"c", 1xi64, [1]>> : !snn.signal<2, spike>
}

// -----

// CHECK: error: snn.network: @p: tau = -0.005 s, but a time constant must be positive
snn.network @n dt 0.001 {
  %p = snn.lif @p() with (tau = -0.005, r = 1.0, v_leak = 0.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
}

// -----

// CHECK: error: snn.network: @p: tau = 0.0005 s is shorter than the step dt = 0.001 s, so the state would oscillate
snn.network @n dt 0.001 {
  %p = snn.lif @p() with (tau = #snn.tensor<"t", 2xf64, [0.0005, 0.5]>, r = 1.0, v_leak = 0.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
}

// -----

// CHECK: error: snn.network: @p: threshold must lie above v_reset, or a neuron would fire for ever
snn.network @n dt 0.001 {
  %p = snn.lif @p() with (tau = 0.005, r = 1.0, v_leak = 0.0, threshold = 1.0, v_reset = 1.0) using <nir> : !snn.signal<2, spike>
}

// -----

// CHECK: error: no semantics preset 'brian'; there are nir, norse, snntorch, spyx, sinabs, speck, rockpool, loihi, spinnaker2, nest
"test.op"() {a = #snn.semantics<brian>} : () -> ()

// -----

// CHECK: error: no semantics field 'rest'; there are decay, pulse, order, compare, reset, floor, bias, weights, state, start, spikes, refractory, out_delay
"test.op"() {a = #snn.semantics<nir, rest = value>} : () -> ()

// -----

// CHECK: error: 'zero' is not a value of reset; use value or subtract
"test.op"() {a = #snn.semantics<nir, reset = zero>} : () -> ()

// -----

// CHECK: error: 'reset' is given twice
"test.op"() {a = #snn.semantics<nir, reset = value, reset = subtract>} : () -> ()

// -----

// CHECK: error: !snn.signal: a signal needs at least one dimension and no empty ones
"test.op"() {a = !snn.signal<0x2, spike>} : () -> ()

// -----

// CHECK: error: !snn.signal: a signal needs at least one dimension and no empty ones
"test.op"() {a = !snn.signal<?, spike>} : () -> ()

// -----

// CHECK: error: !snn.signal: a signal's element is `spike`, f32, f64 or an integer type
"test.op"() {a = !snn.signal<2, index>} : () -> ()

// -----

// CHECK: error: !snn.signal: a signal of 4294967296 neurons is too large; the limit is 2147483647
"test.op"() {a = !snn.signal<65536x65536, spike>} : () -> ()

// -----

// CHECK: error: 2:2:1 is not a run (need 0 <= start < stop, step >= 1)
"test.op"() {a = #snn.indices<[2:2]>} : () -> ()

// -----

// CHECK: error: 0:4:0 is not a run (need 0 <= start < stop, step >= 1)
"test.op"() {a = #snn.indices<[0:4:0]>} : () -> ()

// -----

// CHECK: error: an index set holds distinct, non-negative integers
"test.op"() {a = #snn.indices<[0:4, 3]>} : () -> ()

// -----

// CHECK: error: 0:99999999999:1 goes beyond 2147483648, the largest index set
"test.op"() {a = #snn.indices<[0:99999999999]>} : () -> ()

// -----

// CHECK: error: a tensor needs dimensions, none of them 0, and one of the elements f32, f64, i8, i16, i32, i64, ui8
"test.op"() {a = #snn.tensor<"w", 2xf16, [1.0, 2.0]>} : () -> ()

// -----

// CHECK: error: a tensor needs dimensions, none of them 0, and one of
"test.op"() {a = #snn.tensor<"w", 0xf32, []>} : () -> ()

// -----

// CHECK: error: a tensor needs dimensions, none of them 0, and one of
"test.op"() {a = #snn.tensor<"w", ?xf32, [1.0]>} : () -> ()

// -----

// CHECK: error: 3 numbers for 2 elements
"test.op"() {a = #snn.tensor<"w", 2xf32, [1.0, 2.0, 3.0]>} : () -> ()

// -----

// CHECK: error: a number does not fit i8
"test.op"() {a = #snn.tensor<"w", 1xi8, [128]>} : () -> ()

// -----

// CHECK: error: a number does not fit ui8
"test.op"() {a = #snn.tensor<"w", 1xui8, [-1]>} : () -> ()

// -----

// CHECK: error: a number does not fit f32
"test.op"() {a = #snn.tensor<"w", 1xf32, [1.0e39]>} : () -> ()

// -----

// CHECK: error: a number does not fit f64
"test.op"() {a = #snn.tensor<"w", 1xf64, [1.0e999]>} : () -> ()

// -----

// CHECK: error: i8 holds whole numbers only
"test.op"() {a = #snn.tensor<"w", 1xi8, [1.5]>} : () -> ()

// -----

// CHECK: error: a tensor's text is hexadecimal: two digits for each byte
"test.op"() {a = #snn.tensor<"w", 1xi8, "0x7">} : () -> ()

// -----

// CHECK: error: 2 bytes for 1 elements of i8
"test.op"() {a = #snn.tensor<"w", 1xi8, "0x0000">} : () -> ()

// -----

// CHECK: error: the tensor's key is not UTF-8
"test.op"() {a = #snn.tensor<"\FF", 1xi8, [0]>} : () -> ()

// -----

// CHECK: error: tensor 'w' was elided when this text was printed; print it without --elide-tensors
"test.op"() {a = #snn.tensor<"w", 2048xi8, elided>} : () -> ()

// -----

// CHECK: error: no such file ({{.*}}missing.safetensors)
"test.op"() {a = #snn.tensor<"w", 2xf32, digest "0" in "missing.safetensors">} : () -> ()

// -----

// CHECK: error: no tensor 'v' in this file ({{.*}}small.safetensors)
"test.op"() {a = #snn.tensor<"v", 2xf32, digest "0" in "small.safetensors">} : () -> ()

// -----

// CHECK: error: tensor 'w' is 2xf32 in its file ({{.*}}small.safetensors)
"test.op"() {a = #snn.tensor<"w", 1xf32, digest "0" in "small.safetensors">} : () -> ()

// -----

// CHECK: error: wrong digest of tensor 'w': the file has {{[0-9a-f]+}} ({{.*}}small.safetensors)
"test.op"() {a = #snn.tensor<"w", 2xf32, digest "0" in "small.safetensors">} : () -> ()

// -----

// CHECK: error: element type F16 is not supported ({{.*}}small.safetensors:h)
"test.op"() {a = #snn.tensor<"h", 1xf32, digest "0" in "small.safetensors">} : () -> ()

// -----

// CHECK: error: not a readable safetensors file ({{.*}}) ({{.*}}invalid.mlir)
"test.op"() {a = #snn.tensor<"w", 2xf32, digest "0" in "invalid.mlir">} : () -> ()

// -----

// CHECK: error: #snn.activity: activity is measured over at least one step
"test.op"() {a = #snn.activity<0 steps, 0 spikes, peak 0, #snn.tensor<"c", 1xi64, [0]>>} : () -> ()

// -----

// CHECK: error: #snn.activity: a neuron's count is a whole number, at most 255 for each step
"test.op"() {a = #snn.activity<2 steps, 511 spikes, peak 1, #snn.tensor<"c", 1xi64, [511]>>} : () -> ()

// -----

// CHECK: error: #snn.activity: a neuron's count is a whole number, at most 255 for each step
"test.op"() {a = #snn.activity<2 steps, 0 spikes, peak 0, #snn.tensor<"c", 2xi64, [1, -1]>>} : () -> ()

// -----

// CHECK: error: #snn.activity: a neuron's count is a whole number, at most 255 for each step
"test.op"() {a = #snn.activity<2 steps, 1 spikes, peak 1, #snn.tensor<"c", 1xf64, [1.0]>>} : () -> ()

// -----

// CHECK: error: #snn.activity: the per-neuron counts do not add up to the total
"test.op"() {a = #snn.activity<2 steps, 3 spikes, peak 1, #snn.tensor<"c", 1xi64, [2]>>} : () -> ()

// -----

// CHECK: error: #snn.activity: peak exceeds what the neurons can emit or the total
"test.op"() {a = #snn.activity<2 steps, 2 spikes, peak 3, #snn.tensor<"c", 1xi64, [2]>>} : () -> ()

// -----

// CHECK: error: #snn.activity: 2 steps of at most 1 spikes do not make the total
"test.op"() {a = #snn.activity<2 steps, 3 spikes, peak 1, #snn.tensor<"c", 2xi64, [2, 1]>>} : () -> ()

// -----

// CHECK: error: snn.network: an inference takes 1 to 2147483647 steps, not 2147483648
snn.network @n dt 0.001 steps 2147483648 {

}

// -----

// CHECK: error: snn.network: zero-delay cycle @p -> snn.sparse -> @p: one of its connections needs a delay
snn.network @n dt 0.001 {
  %c = snn.sparse %p weights #snn.tensor<"w", 2xf32, [1, 1]> from #snn.tensor<"f", 2xi64, [0, 0]> to #snn.tensor<"t", 2xi64, [0, 1]> delays #snn.tensor<"d", 2xi64, [5, 0]> : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
}

// -----

// CHECK: error: snn.network: zero-delay cycle @p -> snn.delay -> snn.scale -> @p: one of its connections needs a delay
snn.network @n dt 0.001 {
  %d = snn.delay %p by #snn.tensor<"d", 2xi64, [5, 0]> : !snn.signal<2, spike>
  %c = snn.scale %d by 1.0 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
}

// -----

// CHECK: error: snn.network: the cycle snn.scale -> snn.scale has no population in it, so it carries nothing
snn.network @n dt 0.001 {
  %c = snn.scale %c by 1.0 delay 1 : !snn.signal<2, f64> -> !snn.signal<2, f64>
}

// -----

// CHECK: error: snn.input: only spikes and codes have an activity
snn.network @n dt 0.001 {
  %x = snn.input @x activity <2 steps, 3 spikes, peak 2, #snn.tensor<"c", 2xi64, [2, 1]>> : !snn.signal<2, f64>
}

// -----

// CHECK: error: snn.li: only spikes and codes have an activity
snn.network @n dt 0.001 {
  %v = snn.li @v() with (tau = 0.005, r = 1.0, v_leak = 0.0) using <nir> activity <2 steps, 3 spikes, peak 2, #snn.tensor<"c", 2xi64, [2, 1]>> : !snn.signal<2, f64>
}

// -----

// CHECK: error: snn.dense: weights 'w' are 1x5, but the signals need 6x40 (targets x sources)
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x4x5, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 1x5xf32, [1, 2, 3, 4, 5]> : !snn.signal<2x4x5, spike> -> !snn.signal<2x3x1, f64>
}

// -----

// CHECK: error: snn.dense: bias 'b' has 8 entries for 1 targets
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x4x5, spike>
  %c = snn.dense %x weights #snn.tensor<"w", 1x5xf32, [1, 2, 3, 4, 5]> bias #snn.tensor<"b", 8xf32, [1, 2, 3, 4, 5, 6, 7, 8]> : !snn.signal<2x4x5, spike> -> !snn.signal<2x4x1, f64>
}

// -----

// CHECK: error: snn.dense: spikes, codes or currents (f64) are read, not f32
snn.network @n dt 0.001 {
  %x = "test.op"() : () -> !snn.signal<2, f32>
  %c = snn.dense %x weights #snn.tensor<"w", 1x2xf32, [1, 2]> : !snn.signal<2, f32> -> !snn.signal<1, f64>
}

// -----

// CHECK: error: snn.scale: a delay is a number of steps from 0 to 2147483647, not 2147483648
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.scale %x by 1.0 delay 2147483648 : !snn.signal<2, spike> -> !snn.signal<2, f64>
}

// -----

// CHECK: error: snn.scale: scale is not finite
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = "snn.scale"(%x) <{weights = 1.0 : f64, scale = 0x7FF8000000000000 : f64, delay = #builtin.int<0>}> : (!snn.signal<2, spike>) -> !snn.signal<2, f64>
}

// -----

// CHECK: error: property 'delay' expected in operation 'snn.scale'
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = "snn.scale"(%x) <{weights = 1.0 : f64}> : (!snn.signal<2, spike>) -> !snn.signal<2, f64>
}

// -----

// CHECK: error: snn.conv2d: the weights of this projection are a tensor
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x4x5, spike>
  %c = snn.conv2d %x weights 1.0 : !snn.signal<2x4x5, spike> -> !snn.signal<1x4x4, f64>
}

// -----

// CHECK: error: snn.conv2d needs weights of 4 dimensions and a source of 3
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x4x5, spike>
  %c = snn.conv2d %x weights #snn.tensor<"w", 1x2x1xf32, [1, 2]> : !snn.signal<2x4x5, spike> -> !snn.signal<1x4x4, f64>
}

// -----

// CHECK: error: snn.conv2d needs weights of 4 dimensions and a source of 3
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x6, spike>
  %c = snn.conv2d %x weights #snn.tensor<"w", 1x2x1x2xf32, [1, 2, 3, 4]> : !snn.signal<2x6, spike> -> !snn.signal<1x5, f64>
}

// -----

// CHECK: error: snn.conv1d needs weights of 3 dimensions and a source of 2
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x4x5, spike>
  %c = snn.conv1d %x weights #snn.tensor<"w", 1x2x1xf32, [1, 2]> : !snn.signal<2x4x5, spike> -> !snn.signal<1x4, f64>
}

// -----

// CHECK: error: snn.conv2d: stride needs 2 numbers, each 1 or more
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x4x5, spike>
  %c = snn.conv2d %x weights #snn.tensor<"w", 1x2x1x2xf32, [1, 2, 3, 4]> stride [0, 1] : !snn.signal<2x4x5, spike> -> !snn.signal<1x4x4, f64>
}

// -----

// CHECK: error: snn.conv2d: stride needs 2 numbers, each 1 or more
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x4x5, spike>
  %c = snn.conv2d %x weights #snn.tensor<"w", 1x2x1x2xf32, [1, 2, 3, 4]> stride [1, -1] : !snn.signal<2x4x5, spike> -> !snn.signal<1x4x4, f64>
}

// -----

// CHECK: error: snn.conv2d: stride needs 2 numbers, each 1 or more
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x4x5, spike>
  %c = snn.conv2d %x weights #snn.tensor<"w", 1x2x1x2xf32, [1, 2, 3, 4]> stride [1] : !snn.signal<2x4x5, spike> -> !snn.signal<1x4x4, f64>
}

// -----

// CHECK: error: snn.conv2d: stride needs 2 numbers, each 1 or more
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x4x5, spike>
  %c = snn.conv2d %x weights #snn.tensor<"w", 1x2x1x2xf32, [1, 2, 3, 4]> stride [] : !snn.signal<2x4x5, spike> -> !snn.signal<1x4x4, f64>
}

// -----

// CHECK: error: snn.conv2d: stride needs 2 numbers, each 1 or more
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x4x5, spike>
  %c = snn.conv2d %x weights #snn.tensor<"w", 1x2x1x2xf32, [1, 2, 3, 4]> stride [1, 1, 1] : !snn.signal<2x4x5, spike> -> !snn.signal<1x4x4, f64>
}

// -----

// CHECK: error: snn.conv2d: padding needs 2 numbers, each 0 or more
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x4x5, spike>
  %c = snn.conv2d %x weights #snn.tensor<"w", 1x2x1x2xf32, [1, 2, 3, 4]> padding [-1, 0] : !snn.signal<2x4x5, spike> -> !snn.signal<1x4x4, f64>
}

// -----

// CHECK: error: snn.conv2d: padding needs 2 numbers, each 0 or more
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x4x5, spike>
  %c = snn.conv2d %x weights #snn.tensor<"w", 1x2x1x2xf32, [1, 2, 3, 4]> padding [0, 0] to [0, -1] : !snn.signal<2x4x5, spike> -> !snn.signal<1x4x4, f64>
}

// -----

// CHECK: error: snn.conv2d: padding needs 2 numbers, each 0 or more
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x4x5, spike>
  %c = snn.conv2d %x weights #snn.tensor<"w", 1x2x1x2xf32, [1, 2, 3, 4]> padding [0] : !snn.signal<2x4x5, spike> -> !snn.signal<1x4x4, f64>
}

// -----

// CHECK: error: snn.conv2d: padding needs 2 numbers, each 0 or more
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x4x5, spike>
  %c = snn.conv2d %x weights #snn.tensor<"w", 1x2x1x2xf32, [1, 2, 3, 4]> padding [0, 0] to [1] : !snn.signal<2x4x5, spike> -> !snn.signal<1x4x4, f64>
}

// -----

// CHECK: error: snn.conv2d: dilation needs 2 numbers, each 1 or more
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x4x5, spike>
  %c = snn.conv2d %x weights #snn.tensor<"w", 1x2x1x2xf32, [1, 2, 3, 4]> dilation [0, 1] : !snn.signal<2x4x5, spike> -> !snn.signal<1x4x4, f64>
}

// -----

// CHECK: error: snn.conv2d: dilation needs 2 numbers, each 1 or more
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x4x5, spike>
  %c = snn.conv2d %x weights #snn.tensor<"w", 1x2x1x2xf32, [1, 2, 3, 4]> dilation [1] : !snn.signal<2x4x5, spike> -> !snn.signal<1x4x4, f64>
}

// -----

// CHECK: error: snn.conv2d: weights 'w' are 1x2x1x2: 1 output channels in 0 groups of 2 input channels each do not fit a source of 2 channels
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x4x5, spike>
  %c = snn.conv2d %x weights #snn.tensor<"w", 1x2x1x2xf32, [1, 2, 3, 4]> groups 0 : !snn.signal<2x4x5, spike> -> !snn.signal<1x4x4, f64>
}

// -----

// CHECK: error: snn.conv2d: weights 'w' are 1x2x1x2: 1 output channels in -1 groups of 2 input channels each do not fit a source of 2 channels
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x4x5, spike>
  %c = snn.conv2d %x weights #snn.tensor<"w", 1x2x1x2xf32, [1, 2, 3, 4]> groups -1 : !snn.signal<2x4x5, spike> -> !snn.signal<1x4x4, f64>
}

// -----

// CHECK: error: snn.conv2d: weights 'w' are 1x2x1x2: 1 output channels in 2 groups of 2 input channels each do not fit a source of 2 channels
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x4x5, spike>
  %c = snn.conv2d %x weights #snn.tensor<"w", 1x2x1x2xf32, [1, 2, 3, 4]> groups 2 : !snn.signal<2x4x5, spike> -> !snn.signal<1x4x4, f64>
}

// -----

// CHECK: error: snn.conv2d: weights 'w' are 1x2x1x2: 1 output channels in 99999999999999999999 groups of 2 input channels each do not fit a source of 2 channels
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x4x5, spike>
  %c = snn.conv2d %x weights #snn.tensor<"w", 1x2x1x2xf32, [1, 2, 3, 4]> groups 99999999999999999999 : !snn.signal<2x4x5, spike> -> !snn.signal<1x4x4, f64>
}

// -----

// CHECK: error: snn.conv2d: weights 'w' are 1x1x1x1: 1 output channels in 2 groups of 1 input channels each do not fit a source of 2 channels
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x4x5, spike>
  %c = snn.conv2d %x weights #snn.tensor<"w", 1x1x1x1xf32, [1]> groups 2 : !snn.signal<2x4x5, spike> -> !snn.signal<1x4x5, f64>
}

// -----

// CHECK: error: snn.conv2d: the kernel is larger than the source with its padding
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x4x5, spike>
  %c = snn.conv2d %x weights #snn.tensor<"w", 1x2x1x2xf32, [1, 2, 3, 4]> dilation [1, 5] : !snn.signal<2x4x5, spike> -> !snn.signal<1x4x4, f64>
}

// -----

// CHECK: error: snn.conv2d: the kernel is larger than the source with its padding
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x4x5, spike>
  %c = snn.conv2d %x weights #snn.tensor<"w", 1x2x1x2xf32, [1, 2, 3, 4]> stride [1, 99999999999999999999] dilation [1, 99999999999999999999] : !snn.signal<2x4x5, spike> -> !snn.signal<1x4x4, f64>
}

// -----

// CHECK: error: snn.conv2d: the result has the shape 1x4x2
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x4x5, spike>
  %c = snn.conv2d %x weights #snn.tensor<"w", 1x2x1x2xf32, [1, 2, 3, 4]> stride [1, 2] : !snn.signal<2x4x5, spike> -> !snn.signal<1x4x4, f64>
}

// -----

// CHECK: error: snn.conv2d: scale 's' has 2 entries for 1 output channels
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x4x5, spike>
  %c = snn.conv2d %x weights #snn.tensor<"w", 1x2x1x2xf32, [1, 2, 3, 4]> scale #snn.tensor<"s", 2xf32, [1, 1]> : !snn.signal<2x4x5, spike> -> !snn.signal<1x4x4, f64>
}

// -----

// CHECK: error: snn.conv2d: bias 'b' has 16 entries for 1 output channels
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x4x5, spike>
  %c = snn.conv2d %x weights #snn.tensor<"w", 1x2x1x2xf32, [1, 2, 3, 4]> bias #snn.tensor<"b", 16xi8, "0x00000000000000000000000000000000"> : !snn.signal<2x4x5, spike> -> !snn.signal<1x4x4, f64>
}

// -----

// CHECK: error: snn.conv2d: weights 'w' holds a value that is not finite (NaN?) at [0, 1, 0, 0]
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x4x5, spike>
  %c = snn.conv2d %x weights #snn.tensor<"w", 1x2x1x2xf32, "0x0000000000000000000080FF00000000"> : !snn.signal<2x4x5, spike> -> !snn.signal<1x4x4, f64>
}

// -----

// CHECK: error: snn.conv2d: integer weights need a scale
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x4x5, spike>
  %c = snn.conv2d %x weights #snn.tensor<"w", 1x2x1x2xi8, [1, 2, 3, 4]> : !snn.signal<2x4x5, spike> -> !snn.signal<1x4x4, f64>
}

// -----

// CHECK: error: property 'dilation' expected in operation 'snn.conv2d'
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x4x5, spike>
  %c = "snn.conv2d"(%x) <{weights = #snn.tensor<"w", 1x2x1x2xf32, [1, 2, 3, 4]>, stride = #snn.ints<[1, 1]>, padding_low = #snn.ints<[0, 0]>, padding_high = #snn.ints<[0, 0]>, groups = #builtin.int<1>, delay = #builtin.int<0>}> : (!snn.signal<2x4x5, spike>) -> !snn.signal<1x4x4, f64>
}

// -----

// CHECK: error: snn.conv2d: #snn.shape<1x1> should be of base attribute snn.ints
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x4x5, spike>
  %c = "snn.conv2d"(%x) <{weights = #snn.tensor<"w", 1x2x1x2xf32, [1, 2, 3, 4]>, stride = #snn.shape<1x1>, padding_low = #snn.ints<[0, 0]>, padding_high = #snn.ints<[0, 0]>, dilation = #snn.ints<[1, 1]>, groups = #builtin.int<1>, delay = #builtin.int<0>}> : (!snn.signal<2x4x5, spike>) -> !snn.signal<1x4x4, f64>
}

// -----

// CHECK: error: snn.sum_pool: a pool has a kernel of one or two dimensions, and its source one more for channels
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x4x5, spike>
  %c = snn.sum_pool %x kernel [] : !snn.signal<2x4x5, spike> -> !snn.signal<2x2x2, f64>
}

// -----

// CHECK: error: snn.sum_pool: a pool has a kernel of one or two dimensions, and its source one more for channels
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x4x5, spike>
  %c = snn.sum_pool %x kernel [0, 2] : !snn.signal<2x4x5, spike> -> !snn.signal<2x2x2, f64>
}

// -----

// CHECK: error: snn.sum_pool: a pool has a kernel of one or two dimensions, and its source one more for channels
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x4x5, spike>
  %c = snn.sum_pool %x kernel [2, -1] : !snn.signal<2x4x5, spike> -> !snn.signal<2x2x2, f64>
}

// -----

// CHECK: error: snn.sum_pool: a pool has a kernel of one or two dimensions, and its source one more for channels
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x4x5, spike>
  %c = snn.sum_pool %x kernel [2] : !snn.signal<2x4x5, spike> -> !snn.signal<2x2x2, f64>
}

// -----

// CHECK: error: snn.sum_pool: a pool has a kernel of one or two dimensions, and its source one more for channels
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x4x5, spike>
  %c = snn.sum_pool %x kernel [1, 1, 1] : !snn.signal<2x4x5, spike> -> !snn.signal<2x2x2, f64>
}

// -----

// CHECK: error: snn.avg_pool: stride needs 2 numbers, each 1 or more
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x4x5, spike>
  %c = snn.avg_pool %x kernel [2, 2] stride [2, 0] : !snn.signal<2x4x5, spike> -> !snn.signal<2x2x2, f64>
}

// -----

// CHECK: error: snn.avg_pool: padding needs 2 numbers, each 0 or more
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x4x5, spike>
  %c = snn.avg_pool %x kernel [2, 2] padding [-1, 0] : !snn.signal<2x4x5, spike> -> !snn.signal<2x2x2, f64>
}

// -----

// CHECK: error: snn.max_pool: the kernel is larger than the source with its padding
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x4x5, spike>
  %c = snn.max_pool %x kernel [5, 2] : !snn.signal<2x4x5, spike> -> !snn.signal<2x2x2, f64>
}

// -----

// CHECK: error: snn.max_pool: the result has the type !snn.signal<2x2x2, spike>
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x4x5, spike>
  %c = snn.max_pool %x kernel [2, 2] : !snn.signal<2x4x5, spike> -> !snn.signal<2x2x2, f64>
}

// -----

// CHECK: error: snn.sum_pool: the result has the type !snn.signal<2x2x2, f64>
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x4x5, spike>
  %c = snn.sum_pool %x kernel [2, 2] : !snn.signal<2x4x5, spike> -> !snn.signal<2x2x2, spike>
}

// -----

// CHECK: error: snn.avg_pool: the result has the type !snn.signal<2x2x2, f64>
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x4x5, spike>
  %c = snn.avg_pool %x kernel [2, 2] : !snn.signal<2x4x5, spike> -> !snn.signal<2x2x3, f64>
}

// -----

// CHECK: error: snn.max_pool: spikes, codes or currents (f64) are read, not f32
snn.network @n dt 0.001 {
  %x = "test.op"() : () -> !snn.signal<2x4x5, f32>
  %c = snn.max_pool %x kernel [2, 2] : !snn.signal<2x4x5, f32> -> !snn.signal<2x2x2, f32>
}

// -----

// CHECK: error: !snn.signal: a signal of 4294967296 neurons is too large; the limit is 2147483647
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<1x1, spike>
  %c = snn.sum_pool %x kernel [1] padding [4294967295] to [0] : !snn.signal<1x1, spike> -> !snn.signal<1x4294967296, f64>
}

// -----

// CHECK: error: snn.sparse: the weights of this projection are a tensor
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.sparse %x weights 1.0 from #snn.tensor<"f", 1xi64, [0]> to #snn.tensor<"t", 1xi64, [0]> : !snn.signal<2, spike> -> !snn.signal<3, f64>
}

// -----

// CHECK: error: snn.sparse: sparse weights have one dimension: one entry per synapse
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.sparse %x weights #snn.tensor<"w", 1x1xf32, [1]> from #snn.tensor<"f", 1xi64, [0]> to #snn.tensor<"t", 1xi64, [0]> : !snn.signal<2, spike> -> !snn.signal<3, f64>
}

// -----

// CHECK: error: snn.sparse: from 'f' names neuron 2 of 2
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.sparse %x weights #snn.tensor<"w", 1xf32, [1]> from #snn.tensor<"f", 1xi64, [2]> to #snn.tensor<"t", 1xi64, [0]> : !snn.signal<2, spike> -> !snn.signal<3, f64>
}

// -----

// CHECK: error: snn.sparse: to 't' names neuron 9223372036854775807 of 3
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.sparse %x weights #snn.tensor<"w", 1xf32, [1]> from #snn.tensor<"f", 1xi64, [0]> to #snn.tensor<"t", 1xi64, [9223372036854775807]> : !snn.signal<2, spike> -> !snn.signal<3, f64>
}

// -----

// CHECK: error: snn.sparse: from 'f' holds a negative number
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.sparse %x weights #snn.tensor<"w", 1xf32, [1]> from #snn.tensor<"f", 1xi64, [-9223372036854775808]> to #snn.tensor<"t", 1xi64, [0]> : !snn.signal<2, spike> -> !snn.signal<3, f64>
}

// -----

// CHECK: error: snn.sparse: from 'f' has 2 entries for 1 weights
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.sparse %x weights #snn.tensor<"w", 1xf32, [1]> from #snn.tensor<"f", 2xi64, [0, 1]> to #snn.tensor<"t", 1xi64, [0]> : !snn.signal<2, spike> -> !snn.signal<3, f64>
}

// -----

// CHECK: error: snn.sparse: to 't' has 1 entries for 1 weights
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.sparse %x weights #snn.tensor<"w", 1xf32, [1]> from #snn.tensor<"f", 1xi64, [0]> to #snn.tensor<"t", 1x1xi64, [0]> : !snn.signal<2, spike> -> !snn.signal<3, f64>
}

// -----

// CHECK: error: snn.sparse: to 't' holds whole numbers: give it the element i64
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.sparse %x weights #snn.tensor<"w", 1xf32, [1]> from #snn.tensor<"f", 1xi64, [0]> to #snn.tensor<"t", 1xi32, [0]> : !snn.signal<2, spike> -> !snn.signal<3, f64>
}

// -----

// CHECK: error: snn.sparse: from 'f' holds whole numbers: give it the element i64
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.sparse %x weights #snn.tensor<"w", 1xf32, [1]> from #snn.tensor<"f", 1xf64, [0]> to #snn.tensor<"t", 1xi64, [0]> : !snn.signal<2, spike> -> !snn.signal<3, f64>
}

// -----

// CHECK: error: snn.sparse: delays 'd' has 2 entries for 1 weights
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.sparse %x weights #snn.tensor<"w", 1xf32, [1]> from #snn.tensor<"f", 1xi64, [0]> to #snn.tensor<"t", 1xi64, [0]> delays #snn.tensor<"d", 2xi64, [0, 1]> : !snn.signal<2, spike> -> !snn.signal<3, f64>
}

// -----

// CHECK: error: snn.sparse: delays 'd' holds a negative number
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.sparse %x weights #snn.tensor<"w", 1xf32, [1]> from #snn.tensor<"f", 1xi64, [0]> to #snn.tensor<"t", 1xi64, [0]> delays #snn.tensor<"d", 1xi64, [-1]> : !snn.signal<2, spike> -> !snn.signal<3, f64>
}

// -----

// CHECK: error: snn.sparse: delays 'd' holds a number beyond 2147483647
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.sparse %x weights #snn.tensor<"w", 1xf32, [1]> from #snn.tensor<"f", 1xi64, [0]> to #snn.tensor<"t", 1xi64, [0]> delays #snn.tensor<"d", 1xi64, [2147483648]> : !snn.signal<2, spike> -> !snn.signal<3, f64>
}

// -----

// CHECK: error: snn.sparse: delays 'd' holds whole numbers: give it the element i64
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.sparse %x weights #snn.tensor<"w", 1xf32, [1]> from #snn.tensor<"f", 1xi64, [0]> to #snn.tensor<"t", 1xi64, [0]> delays #snn.tensor<"d", 1xf32, [1]> : !snn.signal<2, spike> -> !snn.signal<3, f64>
}

// -----

// CHECK: error: snn.sparse: scale 's' has 2 entries for 3 targets
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.sparse %x weights #snn.tensor<"w", 1xf32, [1]> from #snn.tensor<"f", 1xi64, [0]> to #snn.tensor<"t", 1xi64, [0]> scale #snn.tensor<"s", 2xf32, [1, 1]> : !snn.signal<2, spike> -> !snn.signal<3, f64>
}

// -----

// CHECK: error: snn.sparse: 1.000000e+00 : f64 should be of base attribute snn.tensor
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.sparse %x weights #snn.tensor<"w", 1xf32, [1]> from #snn.tensor<"f", 1xi64, [0]> to #snn.tensor<"t", 1xi64, [0]> delays 1.0 : f64 : !snn.signal<2, spike> -> !snn.signal<3, f64>
}

// -----

// CHECK: error: snn.flatten: the result has the source's element, and its shape merges neighbouring dimensions of the source
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x3x4, spike>
  %f = snn.flatten %x : !snn.signal<2x3x4, spike> -> !snn.signal<4x6, spike>
}

// -----

// CHECK: error: snn.flatten: the result has the source's element, and its shape merges neighbouring dimensions of the source
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x3x4, spike>
  %f = snn.flatten %x : !snn.signal<2x3x4, spike> -> !snn.signal<3x8, spike>
}

// -----

// CHECK: error: snn.flatten: the result has the source's element, and its shape merges neighbouring dimensions of the source
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x3x4, spike>
  %f = snn.flatten %x : !snn.signal<2x3x4, spike> -> !snn.signal<2x3x2x2, spike>
}

// -----

// CHECK: error: snn.flatten: the result has the source's element, and its shape merges neighbouring dimensions of the source
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x3x4, spike>
  %f = snn.flatten %x : !snn.signal<2x3x4, spike> -> !snn.signal<25, spike>
}

// -----

// CHECK: error: snn.flatten: the result has the source's element, and its shape merges neighbouring dimensions of the source
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x3x4, spike>
  %f = snn.flatten %x : !snn.signal<2x3x4, spike> -> !snn.signal<2x3x4x1, spike>
}

// -----

// CHECK: error: snn.flatten: the result has the source's element, and its shape merges neighbouring dimensions of the source
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2x3x4, spike>
  %f = snn.flatten %x : !snn.signal<2x3x4, spike> -> !snn.signal<24, f64>
}

// -----

// CHECK: error: snn.add: the inputs and the result of a sum have one shape
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %y = snn.input @y : !snn.signal<3, f64>
  %t = snn.add %x, %y : (!snn.signal<2, spike>, !snn.signal<3, f64>) -> !snn.signal<2, f64>
}

// -----

// CHECK: error: snn.add: spikes, codes or currents (f64) are read, not f32
snn.network @n dt 0.001 {
  %x = "test.op"() : () -> !snn.signal<2, f32>
  %t = snn.add %x : (!snn.signal<2, f32>) -> !snn.signal<2, f64>
}

// -----

// CHECK: error: snn.delay: 3 delays for 2 neurons
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %d = snn.delay %x by #snn.tensor<"d", 3xi64, [1, 2, 3]> : !snn.signal<2, spike>
}

// -----

// CHECK: error: snn.delay: delay 'd' holds whole numbers: give it the element i64
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %d = snn.delay %x by #snn.tensor<"d", 2xf32, [1, 2]> : !snn.signal<2, spike>
}

// -----

// CHECK: error: snn.delay: delay 'd' holds a negative number
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %d = snn.delay %x by #snn.tensor<"d", 2xi64, [1, -2]> : !snn.signal<2, spike>
}

// -----

// CHECK: error: snn.delay: delay 'd' holds a number beyond 2147483647
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %d = snn.delay %x by #snn.tensor<"d", 2xi64, [1, 9223372036854775807]> : !snn.signal<2, spike>
}

// -----

// CHECK: error: snn.delay: a delay is a number of steps from 0 to 2147483647, not 2147483648
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %d = snn.delay %x by 2147483648 : !snn.signal<2, spike>
}

// -----

// CHECK: error: snn.delay: Unexpected attribute "d"
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %d = snn.delay %x by "d" : !snn.signal<2, spike>
}

// -----

// CHECK: error: snn.li emits its membrane (f64)
snn.network @n dt 0.001 {
  %p = snn.li @p() with (tau = 0.005, r = 1.0, v_leak = 0.0) using <nir> : !snn.signal<2, spike>
}

// -----

// CHECK: error: snn.threshold emits spikes
snn.network @n dt 0.001 {
  %p = snn.threshold @p() with (threshold = 1.0) using <nir> : !snn.signal<2, f64>
}

// -----

// CHECK: error: snn.dual_lif: 2 inhibitory inputs of 1
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.scale %x by 1.0 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = "snn.dual_lif"(%c) <{sym_name = "p", inhibitory = #builtin.int<2>, tau_exc = 0.002 : f64, tau_inh = 0.01 : f64, tau_mem = 0.02 : f64, r = 1.0 : f64, v_leak = 0.0 : f64, threshold = 1.0 : f64, v_reset = 0.0 : f64, w_exc = 1.0 : f64, w_inh = 1.0 : f64, semantics = #snn.semantics<nir>}> : (!snn.signal<2, f64>) -> !snn.signal<2, spike>
}

// -----

// CHECK: error: snn.dual_lif: -1 inhibitory inputs of 1
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.scale %x by 1.0 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = "snn.dual_lif"(%c) <{sym_name = "p", inhibitory = #builtin.int<-1>, tau_exc = 0.002 : f64, tau_inh = 0.01 : f64, tau_mem = 0.02 : f64, r = 1.0 : f64, v_leak = 0.0 : f64, threshold = 1.0 : f64, v_reset = 0.0 : f64, w_exc = 1.0 : f64, w_inh = 1.0 : f64, semantics = #snn.semantics<nir>}> : (!snn.signal<2, f64>) -> !snn.signal<2, spike>
}

// -----

// CHECK: error: snn.dual_lif: 99999999999999999999 inhibitory inputs of 1
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.scale %x by 1.0 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %p = "snn.dual_lif"(%c) <{sym_name = "p", inhibitory = #builtin.int<99999999999999999999>, tau_exc = 0.002 : f64, tau_inh = 0.01 : f64, tau_mem = 0.02 : f64, r = 1.0 : f64, v_leak = 0.0 : f64, threshold = 1.0 : f64, v_reset = 0.0 : f64, w_exc = 1.0 : f64, w_inh = 1.0 : f64, semantics = #snn.semantics<nir>}> : (!snn.signal<2, f64>) -> !snn.signal<2, spike>
}

// -----

// CHECK: error: property 'inhibitory' expected in operation 'snn.dual_lif'
snn.network @n dt 0.001 {
  %p = "snn.dual_lif"() <{sym_name = "p", tau_exc = 0.002 : f64, tau_inh = 0.01 : f64, tau_mem = 0.02 : f64, r = 1.0 : f64, v_leak = 0.0 : f64, threshold = 1.0 : f64, v_reset = 0.0 : f64, w_exc = 1.0 : f64, w_inh = 1.0 : f64, semantics = #snn.semantics<nir>}> : () -> !snn.signal<2, spike>
}

// -----

// CHECK: error: snn.network: @p: tau_inh = 0.0001 s is shorter than the step dt = 0.001 s
snn.network @n dt 0.001 {
  %p = snn.dual_lif @p(|) with (tau_exc = 0.002, tau_inh = 0.0001, tau_mem = 0.02, r = 1.0, v_leak = 0.0, threshold = 1.0, v_reset = 0.0, w_exc = 1.0, w_inh = 1.0) using <nir> : !snn.signal<2, spike>
}

// -----

// CHECK: error: snn.network: @p: decay = int12 and state = i32 go together
snn.network @n dt 0.001 {
  %p = snn.if @p() with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir, decay = int12> : !snn.signal<2, spike>
}

// -----

// CHECK: error: snn.network: @p: several spikes in one step need reset = subtract
snn.network @n dt 0.001 {
  %p = snn.if @p() with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir, spikes = 2> : !snn.signal<2, spike>
}

// -----

// CHECK: error: snn.network: @p: refractory steps and reset = subtract_repeat contradict each other
snn.network @n dt 0.001 {
  %p = snn.if @p() with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir, refractory = 1, reset = subtract_repeat> : !snn.signal<2, spike>
}

// -----

// CHECK: error: snn.network: @p: li emits no spikes, so out_delay, refractory and spikes have no meaning for it
snn.network @n dt 0.001 {
  %p = snn.li @p() with (tau = 0.005, r = 1.0, v_leak = 0.0) using <nir, out_delay = 1> : !snn.signal<2, f64>
}

// -----

// CHECK: error: snn.network: @p: integer states need whole constants, but gain is 0.5
snn.network @n dt 0.001 {
  %p = snn.if @p() with (r = 0.5, threshold = 1.0, v_reset = 0.0) using <loihi> : !snn.signal<2, spike>
}

// -----

// CHECK: error: no semantics field 'rest'; there are decay, pulse, order, compare, reset, floor, bias, weights, state, start, spikes, refractory, out_delay
"test.op"() {a = #snn.semantics<nir, rest = value>} : () -> ()

// -----

// CHECK: error: '8' is not a value of decay; use euler or exp or exact or int12
"test.op"() {a = #snn.semantics<nir, decay = 8>} : () -> ()

// -----

// CHECK: error: '0' is not a value of spikes; use a whole number from 1 to 255
"test.op"() {a = #snn.semantics<nir, spikes = 0>} : () -> ()

// -----

// CHECK: error: '256' is not a value of spikes; use a whole number from 1 to 255
"test.op"() {a = #snn.semantics<nir, spikes = 256>} : () -> ()

// -----

// CHECK: error: '-1' is not a value of spikes; use a whole number from 1 to 255
"test.op"() {a = #snn.semantics<nir, spikes = -1>} : () -> ()

// -----

// CHECK: error: 'many' is not a value of spikes; use a whole number from 1 to 255
"test.op"() {a = #snn.semantics<nir, spikes = many>} : () -> ()

// -----

// CHECK: error: '99999999999999999999' is not a value of refractory; use a whole number from 0 to 2147483648
"test.op"() {a = #snn.semantics<nir, refractory = 99999999999999999999>} : () -> ()

// -----

// CHECK: error: 'out_delay' is given twice
"test.op"() {a = #snn.semantics<nir, out_delay = 1, out_delay = 1>} : () -> ()

// -----

// CHECK: error: #snn.activity: percentiles are three numbers in ascending order, from 0 to the peak
"test.op"() {a = #snn.activity<4 steps, 6 spikes, peak 3, percentiles [1, 2], #snn.tensor<"c", 2xi64, [6, 0]>>} : () -> ()

// -----

// CHECK: error: #snn.activity: percentiles are three numbers in ascending order, from 0 to the peak
"test.op"() {a = #snn.activity<4 steps, 6 spikes, peak 3, percentiles [2, 1, 3], #snn.tensor<"c", 2xi64, [6, 0]>>} : () -> ()

// -----

// CHECK: error: #snn.activity: percentiles are three numbers in ascending order, from 0 to the peak
"test.op"() {a = #snn.activity<4 steps, 6 spikes, peak 3, percentiles [1, 2, 4], #snn.tensor<"c", 2xi64, [6, 0]>>} : () -> ()

// -----

// CHECK: error: #snn.activity: percentiles are three numbers in ascending order, from 0 to the peak
"test.op"() {a = #snn.activity<4 steps, 6 spikes, peak 3, percentiles [-1, 2, 3], #snn.tensor<"c", 2xi64, [6, 0]>>} : () -> ()

// -----

// CHECK: error: #snn.activity: percentiles are three numbers in ascending order, from 0 to the peak
"test.op"() {a = #snn.activity<4 steps, 6 spikes, peak 3, percentiles [1, 2, 3, 3], #snn.tensor<"c", 2xi64, [6, 0]>>} : () -> ()

// -----

// CHECK: error: #snn.activity: peak exceeds what the neurons can emit or the total
"test.op"() {a = #snn.activity<2 steps, 510 spikes, peak 256, #snn.tensor<"c", 1xi64, [510]>>} : () -> ()

// -----

// CHECK: error: snn.input: codes, and nothing else, are coded (step = ...)
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, i6>
}

// -----

// CHECK: error: snn.relu: codes, and nothing else, are coded (step = ...)
snn.network @n dt 0.001 {
  %h = snn.relu @h() coded (step = 1.0) : !snn.signal<2, f64>
}

// -----

// CHECK: error: snn.relu: a step must be positive
snn.network @n dt 0.001 {
  %h = snn.relu @h() coded (step = 0.0) : !snn.signal<2, i6>
}

// -----

// CHECK: error: snn.relu: step has 3 entries for 2 neurons
snn.network @n dt 0.001 {
  %h = snn.relu @h() coded (step = #snn.tensor<"s", 3xf64, [1.0, 1.0, 1.0]>) : !snn.signal<2, i6>
}

// -----

// CHECK: error: a coding is (step = ...) or (step = ..., zero = ...)
snn.network @n dt 0.001 {
  %h = snn.relu @h() coded (zero = 1.0) : !snn.signal<2, i6>
}

// -----

// CHECK: error: snn.relu emits reals (f64) or codes
snn.network @n dt 0.001 {
  %h = snn.relu @h() : !snn.signal<2, spike>
}

// -----

// CHECK: error: snn.network: @h: low must not lie above high
snn.network @n dt 0.001 {
  %h = snn.clip @h() with (low = 1.0, high = 0.0) : !snn.signal<2, f64>
}

// -----

// CHECK: error: snn.leaky_relu takes the parameters slope
snn.network @n dt 0.001 {
  %h = snn.leaky_relu @h() with (alpha = 1.0) : !snn.signal<2, f64>
}

// -----

// CHECK: error: !snn.signal: codes have 1 to 16 bits, not i17
snn.network @n dt 0.001 {
  %x = snn.input @x coded (step = 1.0) : !snn.signal<2, i17>
}

// -----

// CHECK: error: snn.bundle: weights 'w' are 2x3, but the signals need levels x 3x2 (delay levels x targets x sources)
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.bundle %x weights #snn.tensor<"w", 2x3xf32, [1, 1, 1, 1, 1, 1]> stride 1 : !snn.signal<2, spike> -> !snn.signal<3, f64>
}

// -----

// CHECK: error: snn.bundle: weights 'w' are 1x2x3, but the signals need levels x 3x2 (delay levels x targets x sources)
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.bundle %x weights #snn.tensor<"w", 1x2x3xf32, [1, 1, 1, 1, 1, 1]> stride 1 : !snn.signal<2, spike> -> !snn.signal<3, f64>
}

// -----

// CHECK: error: a tensor needs dimensions, none of them 0, and one of the elements
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.bundle %x weights #snn.tensor<"w", 0x1x2xf32, []> stride 1 : !snn.signal<2, spike> -> !snn.signal<1, f64>
}

// -----

// CHECK: error: snn.bundle: the weights of this projection are a tensor
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.bundle %x weights 1.0 stride 1 : !snn.signal<2, spike> -> !snn.signal<1, f64>
}

// -----

// CHECK: error: snn.bundle: the stride of a bundle, in steps from one delay level to the next, is at least 1
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.bundle %x weights #snn.tensor<"w", 1x1x2xf32, [1, 1]> stride 0 : !snn.signal<2, spike> -> !snn.signal<1, f64>
}

// -----

// CHECK: error: snn.bundle: the stride of a bundle, in steps from one delay level to the next, is at least 1
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.bundle %x weights #snn.tensor<"w", 2x1x2xf32, [1, 1, 1, 1]> stride -1 delay 5 : !snn.signal<2, spike> -> !snn.signal<1, f64>
}

// -----

// CHECK: error: snn.bundle: a delay is a number of steps from 0 to 2147483647, not 2147483648
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.bundle %x weights #snn.tensor<"w", 2x1x2xf32, [1, 1, 0, 0]> stride 2147483646 delay 2 : !snn.signal<2, spike> -> !snn.signal<1, f64>
}

// -----

// CHECK: error: snn.bundle: a delay is a number of steps from 0 to 2147483647, not -1
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.bundle %x weights #snn.tensor<"w", 2x1x2xf32, [0, 0, 1, 1]> stride 3 delay -1 : !snn.signal<2, spike> -> !snn.signal<1, f64>
}

// -----

// CHECK: error: snn.bundle: weights 'w' holds a value that is not finite (NaN?) at [1, 0, 1]
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.bundle %x weights #snn.tensor<"w", 2x1x2xf32, "0x0000803F0000803F0000803F0000C07F"> stride 1 : !snn.signal<2, spike> -> !snn.signal<1, f64>
}

// -----

// CHECK: error: snn.bundle: integer weights need a scale
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.bundle %x weights #snn.tensor<"w", 1x1x2xi8, [1, 1]> stride 1 : !snn.signal<2, spike> -> !snn.signal<1, f64>
}

// -----

// CHECK: error: snn.bundle: a scale must be positive
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.bundle %x weights #snn.tensor<"w", 1x1x2xi8, [1, 1]> stride 1 scale -0.5 : !snn.signal<2, spike> -> !snn.signal<1, f64>
}

// -----

// CHECK: error: snn.bundle: scale 's' has 3 entries for 1 targets
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.bundle %x weights #snn.tensor<"w", 3x1x2xi8, [1, 1, 1, 1, 1, 1]> stride 1 scale #snn.tensor<"s", 3xf64, [1, 1, 1]> : !snn.signal<2, spike> -> !snn.signal<1, f64>
}

// -----

// CHECK: error: snn.bundle: bias 'b' has 2 entries for 1 targets
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.bundle %x weights #snn.tensor<"w", 1x1x2xf32, [1, 1]> stride 1 bias #snn.tensor<"b", 2xf64, [1, 1]> : !snn.signal<2, spike> -> !snn.signal<1, f64>
}

// -----

// CHECK: error: snn.bundle: a projection makes a current; give its result the element f64
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.bundle %x weights #snn.tensor<"w", 1x1x2xf32, [1, 1]> stride 1 : !snn.signal<2, spike> -> !snn.signal<1, spike>
}

// -----

// CHECK: error: snn.network: zero-delay cycle @p -> snn.bundle -> @p: one of its connections needs a delay
snn.network @n dt 0.001 {
  %c = snn.bundle %p weights #snn.tensor<"w", 2x1x1xf32, [1, 0]> stride 1 : !snn.signal<1, spike> -> !snn.signal<1, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<1, spike>
}
