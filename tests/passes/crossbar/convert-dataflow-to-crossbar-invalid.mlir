// RUN: snn-opt %s -p convert-snn-to-cluster,cluster-place,cluster-route,convert-cluster-to-dataflow,dataflow-schedule,dataflow-analyze-throughput,convert-dataflow-to-crossbar --split-input-file --verify-diagnostics | filecheck %s

// CHECK: the weights into @h need more than the 4 bits of 'toy'
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 4, fanin = "digital", max_delay = 3), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
  snn.network @one dt 0.001 {
    %x = snn.input @x : !snn.signal<2, spike>
    %a = snn.dense %x weights #snn.tensor<"a", 1x2xf32, [1.0, 0.3]> : !snn.signal<2, spike> -> !snn.signal<1, f64>
    %h = snn.if @h(%a) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<1, spike>
    snn.output @y %h : !snn.signal<1, spike>
  }
}

// -----

// 7 + 4 on one cell of 4 bits, which a byte would hold.
// CHECK: parallel synapses on @c0 add up to more than a cell holds
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 4, fanin = "digital", max_delay = 3), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
  snn.network @one dt 0.001 {
    %x = snn.input @x : !snn.signal<2, spike>
    %a = snn.dense %x weights #snn.tensor<"a", 1x2xf32, [4.0, 1.0]> : !snn.signal<2, spike> -> !snn.signal<1, f64>
    %b = snn.dense %x weights #snn.tensor<"b", 1x2xf32, [7.0, 1.0]> : !snn.signal<2, spike> -> !snn.signal<1, f64>
    %h = snn.if @h(%a, %b) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<1, spike>
    snn.output @y %h : !snn.signal<1, spike>
  }
}

// -----

// CHECK: the projections into @h have different scales
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 4, fanin = "digital", max_delay = 3), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
  snn.network @one dt 0.001 {
    %x = snn.input @x : !snn.signal<2, spike>
    %a = snn.dense %x weights #snn.tensor<"a", 1x2xf32, [4.0, 1.0]> : !snn.signal<2, spike> -> !snn.signal<1, f64>
    %b = snn.dense %x weights #snn.tensor<"b", 1x2xf32, [7.0, 1.0]> scale 0.5 : !snn.signal<2, spike> -> !snn.signal<1, f64>
    %h = snn.if @h(%a, %b) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<1, spike>
    snn.output @y %h : !snn.signal<1, spike>
  }
}
