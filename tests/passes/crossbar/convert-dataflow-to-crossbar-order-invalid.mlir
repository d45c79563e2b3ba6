// RUN: snn-opt %s -p convert-snn-to-cluster,cluster-place,cluster-route,convert-cluster-to-dataflow,convert-dataflow-to-crossbar --split-input-file --verify-diagnostics | filecheck %s
// RUN: snn-opt %s -p "convert-snn-to-cluster,cluster-place,cluster-route,convert-cluster-to-dataflow,dataflow-schedule,snn-profile{data=%S/inputs/busy.npz},convert-dataflow-to-crossbar" --split-input-file --verify-diagnostics | filecheck %s --check-prefix=STALE

// A profile that was measured after the times were computed: the peaks emitted would not be those of the guarantee.
// CHECK: the crossbars have no static order
// STALE: @c0.h takes 42, 58 with the clusters and activity of now
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 4, fanin = "digital", max_delay = 3), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
  snn.network @toy dt 0.001 {
    %x = snn.input @x activity <10 steps, 20 spikes, peak 2, #snn.tensor<"x.counts", 3xi64, [10, 10, 0]>> : !snn.signal<3, spike>
    %a = snn.dense %x weights #snn.tensor<"a", 3x3xf32, [1.0, 0.5, 0.0, 0.0, 1.0, 0.5, 0.0, 0.0, 1.0]> : !snn.signal<3, spike> -> !snn.signal<3, f64>
    %h = snn.if @h(%a) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> activity <10 steps, 5 spikes, peak 1, #snn.tensor<"h.counts", 3xi64, [5, 0, 0]>> : !snn.signal<3, spike>
    %b = snn.dense %h weights #snn.tensor<"b", 2x3xf32, [1.0, 1.0, 0.0, 0.0, 1.0, 1.0]> delay 1 : !snn.signal<3, spike> -> !snn.signal<2, f64>
    %o = snn.if @o(%b) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> activity <10 steps, 1 spikes, peak 1, #snn.tensor<"o.counts", 2xi64, [1, 0]>> : !snn.signal<2, spike>
    snn.output @y %o : !snn.signal<2, spike>
  }
}
