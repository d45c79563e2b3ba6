// RUN: snn-opt %s -p "snn-split-fanin{mode=relay rows=2}" --statistics 2>&1 | filecheck %s
// RUN: snn-opt %s -p "snn-split-fanin" | filecheck %s --check-prefix=NOTHING
// RUN: snn-opt %s -p "snn-split-fanin{mode=relay rows=4}" | filecheck %s --check-prefix=NOTHING
// RUN: not snn-opt %s -p "snn-split-fanin{mode=relay rows=1}" 2>&1 | filecheck %s --check-prefix=FEW
// RUN: not snn-opt %s -p "snn-split-fanin{mode=relay}" 2>&1 | filecheck %s --check-prefix=FEW

// FEW:         error: how many rows?
// NOTHING-NOT: relay

// Four inputs at most two a neuron: two relays. The first sends sums of 1 and -0.5, from -0.5 to 1: it is lifted by 0.5,
// fires at 1.5, and each of its spikes means 1.5. The second, 0.25 and 0.25, needs no lift. @h takes the lift away.
// CHECK: %[[A:.*]] = snn.slice %x [0:2]
// CHECK: %[[B:.*]] = snn.dense %[[A]] weights #snn.tensor<"h_relay0.weight", 1x2xf64, [1.0, -0.5]> bias #snn.tensor<"h_relay0.lift", 1xf64, [0.5]>
// CHECK: %h_relay0 = snn.if @h_relay0(%[[B]]) with (r = 1.0, threshold = #snn.tensor<"h_relay0.threshold", 1xf64, [1.5]>, v_reset = 0.0) using <nir, compare = ge, reset = subtract>
// CHECK: %[[C:.*]] = snn.slice %x [2:4]
// CHECK: snn.dense %[[C]] weights #snn.tensor<"h_relay1.weight", 1x2xf64, [0.25, 0.25]>
// CHECK: threshold = #snn.tensor<"h_relay1.threshold", 1xf64, [0.5]>
// CHECK: %[[D:.*]] = snn.scale %h_relay0 by #snn.tensor<"h_relay0.out", 1xf64, [1.5]> bias #snn.tensor<"h.bias", 1xf64, [-0.375]>
// CHECK: %[[E:.*]] = snn.scale %h_relay1 by #snn.tensor<"h_relay1.out", 1xf64, [0.5]> :
// CHECK: snn.if @h(%[[D]], %[[E]])
// CHECK: 1 populations split
// CHECK: 2 relay neurons
builtin.module {
  snn.network @toy dt 0.001 {
    %x = snn.input @x : !snn.signal<4, spike>
    %a = snn.dense %x weights #snn.tensor<"a", 1x4xf64, [1.0, -0.5, 0.25, 0.25]> bias #snn.tensor<"bias", 1xf64, [0.125]> : !snn.signal<4, spike> -> !snn.signal<1, f64>
    %h = snn.if @h(%a) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<1, spike>
    snn.output @y %h : !snn.signal<1, spike>
  }
}
