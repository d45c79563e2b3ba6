// RUN: snn-opt %s -p "convert-ann-to-snn{data=%S/inputs/images.npz percentile=100 steps=8}" | filecheck %s
// RUN: snn-opt %s -p "convert-ann-to-snn{data=%S/inputs/images.npz percentile=100 steps=8}" --statistics 2>&1 | filecheck %s --check-prefix=COUNT
// RUN: snn-opt %s -p "convert-ann-to-snn{data=%S/inputs/images.npz percentile=50}" | filecheck %s --check-prefix=HALF
// RUN: snn-opt %s -p "convert-ann-to-snn{data=%S/inputs/images.npz percentile=100 input=rate output=spikes reset=value start=zero}" | filecheck %s --check-prefix=SPIKES
// RUN: snn-opt %s -p "convert-ann-to-snn{data=%S/inputs/images.npz input=poisson spikes=3}" | filecheck %s --check-prefix=RANDOM

// On the four samples the hidden values are 2, 1, 0, 2 and 1, 3, 0, 3: a spike in every step stands for 3, which goes
// into the weights behind. The class is the largest sum.
// CHECK: snn.network @ordinary dt 0.001 steps 8 {
// CHECK: snn.input @x {code = "current"} : !snn.signal<2, f64>
// CHECK: snn.dense %x weights #snn.tensor<"w", 2x2xf32, [2.0, 0.0, 0.0, 4.0]> bias #snn.tensor<"b", 2xf32, [0.0, -1.0]>
// CHECK: snn.if @h({{.*}}) with (r = 1.0, threshold = 3.0, v_reset = 0.0) using <nir, compare = ge, reset = subtract, start = half> : !snn.signal<2, spike>
// CHECK: snn.dense %h weights #snn.tensor<"v", 2x2xf32, [3.0, 1.5, 0.0, 3.0]> : !snn.signal<2, spike> -> !snn.signal<2, f64>
// CHECK: snn.integrator @scores({{.*}}) with (r = 1.0)
// CHECK: snn.output @label %scores : !snn.signal<2, f64>
// COUNT: 10000 accuracy after 8 steps, hundredths of a percent
// COUNT: 10000 accuracy before, hundredths of a percent
// COUNT: 2 neurons that fire
// COUNT: 1 populations converted
// COUNT: 3000000 range of @h, millionths

// The median of 2, 1, 2, 1, 3 and 3.
// HALF: snn.network @ordinary dt 0.001 steps 16 {
// HALF: threshold = 2.0,

// Inputs from 0 to 1. The least largest score is 0, the greatest second 3.
// SPIKES: snn.input @x {code = "rate", low = 0.000000e+00 : f64, high = 1.000000e+00 : f64} : !snn.signal<2, spike>
// SPIKES: snn.if @h({{.*}}) with (r = 1.0, threshold = 3.0, v_reset = 0.0) using <nir, compare = ge> : !snn.signal<2, spike>
// SPIKES: snn.if @scores({{.*}}) with (r = 1.0, threshold = 3.0, v_reset = 0.0) using <nir, compare = ge> : !snn.signal<2, spike>
// SPIKES: snn.output @label %scores : !snn.signal<2, spike>

// RANDOM: code = "poisson"
// RANDOM: spikes = 3
builtin.module {
  snn.network @ordinary dt 0.001 steps 1 {
    %x = snn.input @x : !snn.signal<2, f64>
    %a = snn.dense %x weights #snn.tensor<"w", 2x2xf32, [2.0, 0.0, 0.0, 4.0]> bias #snn.tensor<"b", 2xf32, [0.0, -1.0]> : !snn.signal<2, f64> -> !snn.signal<2, f64>
    %h = snn.relu @h(%a) : !snn.signal<2, f64>
    %c = snn.dense %h weights #snn.tensor<"v", 2x2xf32, [1.0, 0.5, 0.0, 1.0]> : !snn.signal<2, f64> -> !snn.signal<2, f64>
    %scores = snn.clip @scores(%c) with (low = -1000.0, high = 1000.0) : !snn.signal<2, f64>
    snn.output @label %scores : !snn.signal<2, f64>
  }
}
