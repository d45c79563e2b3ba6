// RUN: snn-opt %s -p convert-snn-to-cluster --split-input-file | filecheck %s

// 3 + 3 different axons do not fit one crossbar of 4 rows.
// CHECK-LABEL: cluster.program of @toy
// CHECK-NEXT:    %x = cluster.input @x : !snn.signal<3, spike>
// CHECK-NEXT:    %h = cluster.cluster @c0 axons(%x[0:3]) slices(neurons @h[0:3] rows [0:3] column 0) : (!snn.signal<3, spike>) -> !snn.signal<3, spike>
// CHECK-NEXT:    %o = cluster.cluster @c1 axons(%h[0:3] delay 1) slices(neurons @o[0:2] rows [0:3] column 0) : (!snn.signal<3, spike>) -> !snn.signal<2, spike>
// CHECK-NEXT:    cluster.output @y(%o) : !snn.signal<2, spike>
// CHECK-NEXT:  }
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 4, fanin = "digital", max_delay = 3), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
  snn.network @toy dt 0.001 {
    %x = snn.input @x : !snn.signal<3, spike>
    %a = snn.dense %x weights #snn.tensor<"a", 3x3xf32, [1.0, 0.5, 0.0, 0.0, 1.0, 0.5, 0.0, 0.0, 1.0]> : !snn.signal<3, spike> -> !snn.signal<3, f64>
    %h = snn.if @h(%a) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<3, spike>
    %b = snn.dense %h weights #snn.tensor<"b", 2x3xf32, [1.0, 1.0, 0.0, 0.0, 1.0, 1.0]> delay 1 : !snn.signal<3, spike> -> !snn.signal<2, f64>
    %o = snn.if @o(%b) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
    snn.output @y %o : !snn.signal<2, spike>
  }
}

// -----

// Six inputs on four rows: four of them, and a partial sum, and the other two, where @g has rows and columns left for
// inputs of its own.
// CHECK-LABEL: cluster.program of @split
// CHECK-NEXT:    %x = cluster.input @x : !snn.signal<6, spike>
// CHECK-NEXT:    %h_sum = cluster.cluster @c0 axons(%x[0:4]) slices(partial @h[0:2] rows [0:4] column 0)
// CHECK-NEXT:    %h, %g = cluster.cluster @c1 axons(%x[0:2, 4:6]) sums(%h_sum) slices(neurons @h[0:2] rows [2:4] column 0 adds 1, neurons @g[0:2] rows [0:2] column 2) : (!snn.signal<6, spike>, !cluster.partial<2>) -> (!snn.signal<2, spike>, !snn.signal<2, spike>)
// CHECK-NEXT:    cluster.output @y(%h) : !snn.signal<2, spike>
// CHECK-NEXT:    cluster.output @z(%g) : !snn.signal<2, spike>
// CHECK-NEXT:  }
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 4, fanin = "digital", max_delay = 3), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
  snn.network @split dt 0.001 {
    %x = snn.input @x : !snn.signal<6, spike>
    %a = snn.dense %x weights #snn.tensor<"a", 2x6xf32, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]> : !snn.signal<6, spike> -> !snn.signal<2, f64>
    %h = snn.if @h(%a) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
    %p = snn.slice %x [0:2] : !snn.signal<6, spike> -> !snn.signal<2, spike>
    %q = snn.scale %p by 1.0 : !snn.signal<2, spike> -> !snn.signal<2, f64>
    %g = snn.if @g(%q) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
    snn.output @y %h : !snn.signal<2, spike>
    snn.output @z %g : !snn.signal<2, spike>
  }
}
