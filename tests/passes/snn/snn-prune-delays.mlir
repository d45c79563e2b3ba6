// RUN: snn-opt %s -p "snn-prune-delays{keep=1}" --statistics 2>&1 | filecheck %s
// RUN: snn-opt %s -p "snn-prune-delays{by=axon share=0.5}" | filecheck %s --check-prefix=AXON
// RUN: snn-opt %s -p "snn-prune-delays{by=memory entries=20}" --statistics 2>&1 | filecheck %s --check-prefix=MEMORY
// RUN: not snn-opt %s -p "snn-prune-delays{by=memory entries=2}" 2>&1 | filecheck %s --check-prefix=FEW
// RUN: not snn-opt %s -p "snn-prune-delays{keep=0}" 2>&1 | filecheck %s --check-prefix=NONE
// RUN: not snn-opt %s -p "snn-prune-delays{keep=1 populations=q}" 2>&1 | filecheck %s --check-prefix=WHO

// FEW:  error: 2 entries, and the shortest delays (and those that are not pruned) take 3
// NONE: error: keep=0: nothing would be left of a synapse
// WHO:  error: there is no population @q

// Each pair keeps its largest weight; what is pruned is 0 in a bundle, and gone from single synapses. Events live until
// the last delay that any synapse of their neuron has, here 5 and 3 steps: 2 * 5 + 1 and 2 * 3 + 1 entries.
// CHECK: snn.bundle %x weights #snn.tensor<"a", 3x1x2xf32, [0.0, 0.0, 0.0, 1.0, -0.75, 0.0]> stride 2 delay 1 :
// CHECK: snn.sparse %x weights #snn.tensor<"b", 2xf32, [1.0, 0.5]> from #snn.tensor<"b.from", 2xi64, [0, 1]> to #snn.tensor<"b.to", 2xi64, [0, 0]> delays #snn.tensor<"b.delays", 2xi64, [0, 7]> :
// CHECK: 18 delay entries of 'a' after
// CHECK: 22 delay entries of 'b' before
// CHECK: 333333 norm of 'a' lost, millionths
// CHECK: 2 synapses of 'b' after

// Half of the delays of each source: two of three, one of two.
// AXON: snn.bundle %x weights #snn.tensor<"a", 3x1x2xf32, [0.5, 0.0, 0.0, 1.0, -0.75, 0.0]>

// Source 0 is read until 5 steps late by @h, source 1 until 7: 11 + 15 entries. The last delay of source 1 is given up,
// 8 entries for 22 % of the norm of "b"; that of
// source 0 would free 4 for 29 % of that of "a".
// MEMORY: weights #snn.tensor<"a", 3x1x2xf32, [0.5, -0.25, 0.125, 1.0, -0.75, 0.0]>
// MEMORY: delays #snn.tensor<"b.delays", 3xi64, [0, 3, 1]>
// MEMORY: 18 delay entries of all sources after
// MEMORY: 26 delay entries of all sources before
builtin.module {
  snn.network @toy dt 0.001 {
    %x = snn.input @x : !snn.signal<2, spike>
    %a = snn.bundle %x weights #snn.tensor<"a", 3x1x2xf32, [0.5, -0.25, 0.125, 1.0, -0.75, 0.0]> stride 2 delay 1 : !snn.signal<2, spike> -> !snn.signal<1, f64>
    %b = snn.sparse %x weights #snn.tensor<"b", 4xf32, [1.0, 0.5, 0.25, 0.5]> from #snn.tensor<"b.from", 4xi64, [0, 0, 1, 1]> to #snn.tensor<"b.to", 4xi64, [0, 0, 0, 0]> delays #snn.tensor<"b.delays", 4xi64, [0, 3, 1, 7]> : !snn.signal<2, spike> -> !snn.signal<1, f64>
    %h = snn.if @h(%a, %b) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<1, spike>
    snn.output @y %h : !snn.signal<1, spike>
  }
}
