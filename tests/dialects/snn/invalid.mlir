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

// CHECK: error: snn.network: an inference takes at least one step
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

// CHECK: error: snn.input: an input brings spikes
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, f64>
}

// -----

// CHECK: error: snn.input: activity counts 3 neurons of 2
snn.network @n dt 0.001 {
  %x = snn.input @x activity <2 steps, 3 spikes, peak 2, #snn.tensor<"c", 3xi64, [1, 1, 1]>> : !snn.signal<2, spike>
}

// -----

// CHECK: error: snn.output: an output reads a whole input or population as it is emitted
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %d = snn.delay %x by 1 : !snn.signal<2, spike>
  snn.output @y %d : !snn.signal<2, spike>
}

// -----

// CHECK: error: snn.output: an output reads a whole input or population as it is emitted
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %s = snn.slice %x [0] : !snn.signal<2, spike> -> !snn.signal<1, spike>
  %f = snn.flatten %s : !snn.signal<1, spike> -> !snn.signal<1, spike>
  snn.output @y %f : !snn.signal<1, spike>
}

// -----

// CHECK: error: snn.scale: a delay is a number of steps, 0 or more
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

// CHECK: error: snn.dense: dense weights are a tensor of targets x sources
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

// CHECK: error: snn.flatten: the result is one-dimensional and holds the 2 neurons of the source
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

// CHECK: error: snn.add: the inputs and the result of a sum have one type
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %c = snn.scale %x by 1.0 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %t = "snn.add"(%c) : (!snn.signal<2, f64>) -> !snn.signal<3, f64>
}

// -----

// CHECK: error: snn.add: only currents (f64) are added; project spikes first
snn.network @n dt 0.001 {
  %x = snn.input @x : !snn.signal<2, spike>
  %t = snn.add %x, %x : !snn.signal<2, spike>
}

// -----

// CHECK: error: snn.delay: a delay is a number of steps, 0 or more
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

// CHECK: error: snn.if: a population emits spikes
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

// CHECK: error: no semantics preset 'brian'; there are nir, norse, snntorch, snntorch_subtract
"test.op"() {a = #snn.semantics<brian>} : () -> ()

// -----

// CHECK: error: no semantics field 'rest'; there are decay, order, compare, reset
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

// CHECK: error: #snn.activity: a neuron's count is a whole number from 0 to the 2 steps
"test.op"() {a = #snn.activity<2 steps, 3 spikes, peak 1, #snn.tensor<"c", 1xi64, [3]>>} : () -> ()

// -----

// CHECK: error: #snn.activity: a neuron's count is a whole number from 0 to the 2 steps
"test.op"() {a = #snn.activity<2 steps, 0 spikes, peak 0, #snn.tensor<"c", 2xi64, [1, -1]>>} : () -> ()

// -----

// CHECK: error: #snn.activity: a neuron's count is a whole number from 0 to the 2 steps
"test.op"() {a = #snn.activity<2 steps, 1 spikes, peak 1, #snn.tensor<"c", 1xf64, [1.0]>>} : () -> ()

// -----

// CHECK: error: #snn.activity: the per-neuron counts do not add up to the total
"test.op"() {a = #snn.activity<2 steps, 3 spikes, peak 1, #snn.tensor<"c", 1xi64, [2]>>} : () -> ()

// -----

// CHECK: error: #snn.activity: peak exceeds the number of neurons or the total
"test.op"() {a = #snn.activity<2 steps, 2 spikes, peak 2, #snn.tensor<"c", 1xi64, [2]>>} : () -> ()

// -----

// CHECK: error: #snn.activity: 2 steps of at most 1 spikes do not make the total
"test.op"() {a = #snn.activity<2 steps, 3 spikes, peak 1, #snn.tensor<"c", 2xi64, [2, 1]>>} : () -> ()
