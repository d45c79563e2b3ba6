// RUN: snn-opt %s -p "convert-snn-to-cluster,convert-cluster-to-dataflow{mode=paper}" | filecheck %s
// RUN: snn-opt %s -p "convert-snn-to-cluster,convert-cluster-to-dataflow{mode=paper time=5},dataflow-analyze-throughput" | filecheck %s --check-prefix=TIME
// RUN: not snn-opt %s -p "convert-snn-to-cluster,convert-cluster-to-dataflow{mode=paper time=-1}" 2>&1 | filecheck %s --check-prefix=LESS

// Nothing is placed. @h has 25 spikes in 10 steps, 2.5 a step and so 3 tokens; @o reads them, and its own 1 of 10 steps.
// CHECK:      dataflow.graph of @toy unit "ns" activity "peak" {
// CHECK-NEXT:   [[O:%.+]] = dataflow.actor task @c0 time 16 reads([[H:%.+]][3] tokens 3, [[O]][1] tokens 1) makes(1) : (!dataflow.token<3>, !dataflow.token<1>) -> !dataflow.token<1>
// CHECK-NEXT:   [[H]] = dataflow.actor task @c1 time 16 makes(3) : () -> !dataflow.token<3>
// CHECK-NEXT: }
// TIME: dataflow.graph of @toy unit "ns" activity "peak" period 5 latency 5 predicted 5
// LESS: error: {{.*}}no firing takes -1
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 5, columns = 3, weight_bits = 4, fanin = "digital", max_delay = 3), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
  snn.network @toy dt 0.001 {
    %x = snn.input @x activity <10 steps, 20 spikes, peak 2, #snn.tensor<"x.counts", 3xi64, [10, 10, 0]>> : !snn.signal<3, spike>
    %a = snn.dense %x weights #snn.tensor<"a", 3x3xf32, [1.0, 0.5, 0.0, 0.0, 1.0, 0.5, 0.0, 0.0, 1.0]> : !snn.signal<3, spike> -> !snn.signal<3, f64>
    %h = snn.if @h(%a) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> activity <10 steps, 25 spikes, peak 3, #snn.tensor<"h.counts", 3xi64, [10, 10, 5]>> : !snn.signal<3, spike>
    %b = snn.dense %h weights #snn.tensor<"b", 2x3xf32, [1.0, 1.0, 0.0, 0.0, 1.0, 1.0]> delay 1 : !snn.signal<3, spike> -> !snn.signal<2, f64>
    %c = snn.dense %o weights #snn.tensor<"c", 2x2xf32, [1.0, 0.0, 1.0, 1.0]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
    %s = snn.add %b, %c : !snn.signal<2, f64>
    %o = snn.if @o(%s) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> activity <10 steps, 1 spikes, peak 1, #snn.tensor<"o.counts", 2xi64, [1, 0]>> : !snn.signal<2, spike>
    snn.output @y %o : !snn.signal<2, spike>
  }
}
