// RUN: snn-opt %s -p "snn-profile{data=%S/inputs/steps.npz}" | filecheck %s
// RUN: snn-opt %s -p "snn-profile{data=%S/inputs/steps.npz}" --statistics 2>&1 | filecheck %s --check-prefix=COUNT
// RUN: snn-opt %s -p "snn-profile{data=%S/inputs/steps.npz samples=1}" | filecheck %s --check-prefix=ONE
// RUN: snn-opt %s -p "snn-profile{data=%S/inputs/steps.npz samples=1},snn-profile{data=%S/inputs/steps.npz}" | filecheck %s

// Two samples of four steps. @x: neuron 0 in all steps, neuron 1 in the first two of the second sample. @h[0] adds up
// halves and fires above 1, in step 2 of each sample; @h[1] fires with each spike of neuron 1. @v emits no spikes.
// CHECK: snn.input @x activity <8 steps, 10 spikes, peak 2, percentiles [1, 2, 2], #snn.tensor<"x.counts", 2xi64, [8, 2]>>
// CHECK: snn.if @h({{.*}} activity <8 steps, 4 spikes, peak 1, percentiles [0, 1, 1], #snn.tensor<"h.counts", 2xi64, [2, 2]>>
// CHECK: snn.li @v({{.*}} using <nir> : !snn.signal<2, f64>
// CHECK: snn.output
// COUNT: 2 samples
// COUNT: 4 spikes of @h
// COUNT: 1 spikes of @h in one step, most
// COUNT: 0 spikes of @h in one step, percentile 50
// COUNT: 1 spikes of @h in one step, percentile 90
// COUNT-NOT: of @v
// COUNT: 8 steps
// ONE:   snn.input @x activity <4 steps, 4 spikes, peak 1, percentiles [1, 1, 1], #snn.tensor<"x.counts", 2xi64, [4, 0]>>
// ONE:   snn.if @h({{.*}} activity <4 steps, 1 spikes, peak 1, percentiles [0, 1, 1], #snn.tensor<"h.counts", 2xi64, [1, 0]>>
builtin.module {
  snn.network @toy dt 0.001 {
    %x = snn.input @x : !snn.signal<2, spike>
    %a = snn.dense %x weights #snn.tensor<"a", 2x2xf32, [0.5, 0.0, 0.0, 2.0]> : !snn.signal<2, spike> -> !snn.signal<2, f64>
    %h = snn.if @h(%a) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
    %c = snn.scale %h by 1.0 : !snn.signal<2, spike> -> !snn.signal<2, f64>
    %v = snn.li @v(%c) with (tau = 0.01, r = 1.0, v_leak = 0.0) using <nir> : !snn.signal<2, f64>
    snn.output @y %h : !snn.signal<2, spike>
  }
}
