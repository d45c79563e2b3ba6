// RUN: snn-opt %s -p "snn-profile{data=%S/inputs/steps.npz}" --statistics 2>&1 | filecheck %s
// RUN: snn-opt %s -p "snn-profile{data=%S/inputs/steps.npz samples=1}" | filecheck %s --check-prefix=ONE
// RUN: snn-opt %s -p "snn-profile{data=%S/inputs/steps.npz samples=1},snn-profile{data=%S/inputs/steps.npz}" | filecheck %s

// Two samples of four steps. @x: neuron 0 in all steps, neuron 1 in the first two of the second sample. @h[0] adds up
// halves and fires above 1, in step 2 of each sample; @h[1] fires with each spike of neuron 1.
// CHECK: snn.input @x activity <8 steps, 10 spikes, peak 2, #snn.tensor<"x.counts", 2xi64, [8, 2]>>
// CHECK: snn.if @h({{.*}} activity <8 steps, 4 spikes, peak 1, #snn.tensor<"h.counts", 2xi64, [2, 2]>>
// CHECK: snn.output
// ONE:   snn.input @x activity <4 steps, 4 spikes, peak 1, #snn.tensor<"x.counts", 2xi64, [4, 0]>>
// ONE:   snn.if @h({{.*}} activity <4 steps, 1 spikes, peak 1, #snn.tensor<"h.counts", 2xi64, [1, 0]>>
builtin.module {
  snn.network @toy dt 0.001 {
    %x = snn.input @x : !snn.signal<2, spike>
    %a = snn.dense %x weights #snn.tensor<"a", 2x2xf32, [0.5, 0.0, 0.0, 2.0]> : !snn.signal<2, spike> -> !snn.signal<2, f64>
    %h = snn.if @h(%a) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
    snn.output @y %h : !snn.signal<2, spike>
  }
}
