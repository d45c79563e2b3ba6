// RUN: snn-opt %s -p convert-snn-to-cluster,cluster-place,cluster-route,convert-cluster-to-dataflow,dataflow-schedule,dataflow-analyze-throughput,convert-dataflow-to-crossbar --split-input-file | filecheck %s

// Weights of 1 and 0.5 in 4 bits: 4 and 2 times a quarter, the finest grid on which 1 fits (7 is the largest integer).
// Weights that are small integers stay as they are.
// Cells are rows x columns, weights targets x sources.
// CHECK-NOT:  snn.network
// CHECK-NOT:  cluster.program
// CHECK-NOT:  dataflow.graph
// CHECK:      crossbar.machine @toy dt 0.001 period 42 latency {{[0-9]+}} predicted 38 peaks {x = 2 : i64, c0.h = 1 : i64, c1.o = 1 : i64} peaks_in {c0.h = 2 : i64, c1.o = 1 : i64} {
// CHECK-NEXT:   crossbar.input @x size 3
// CHECK-NEXT:   crossbar.population @h size 3
// CHECK-NEXT:   crossbar.population @o size 2
// CHECK-NEXT:   crossbar.output @y of @o
// CHECK-NEXT:   crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 4x4xi8, [4, 0, 0, 0, 2, 4, 0, 0, 0, 2, 4, 0, 0, 0, 0, 0]> {
// CHECK-NEXT:     crossbar.axons @x[0:3]
// CHECK-NEXT:     crossbar.slice @c0.h neurons @h[0:3] rows [0:3] column 0 if(scale = 0.25, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 1.0, v_reset = 0.0) using <nir>
// CHECK-NEXT:     crossbar.order [@c0.h]
// CHECK-NEXT:   }
// CHECK-NEXT:   crossbar.crossbar @c1 at [1, 0] crossbar 0 cells #snn.tensor<"c1.cells", 4x4xi8, [1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]> {
// CHECK-NEXT:     crossbar.axons @h[0:3] delay 1
// CHECK:          crossbar.order [@c1.o]
// CHECK-NEXT:   }
// CHECK-NEXT:   crossbar.channel @x to @c0.h delay 0 capacity 2
// CHECK-NEXT:   crossbar.channel @c0.h to @c1.o delay 1 capacity 3
// CHECK-NEXT:   crossbar.channel @c1.o to @y delay 0 capacity 2
// CHECK-NEXT:   crossbar.flow @x to tile [0, 0]
// CHECK-NEXT:   crossbar.flow @c0.h to tile [1, 0]
// CHECK-NEXT:   crossbar.flow @c1.o to host
// CHECK-NEXT: }
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

// -----

// A slice in an order of its own, and input 1 read a second time: 1 + 2 = 3 in its cell. The scale stays beside.
// CHECK:      cells #snn.tensor<"c0.cells", 4x4xi8, [4, 0, 0, 0, 3, 0, 0, 0,
// CHECK:      scale = 3.0,
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 4, fanin = "digital", max_delay = 3), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
  snn.network @twice dt 0.001 {
    %x = snn.input @x : !snn.signal<3, spike>
    %p = snn.slice %x [1, 0] : !snn.signal<3, spike> -> !snn.signal<2, spike>
    %a = snn.dense %p weights #snn.tensor<"a", 1x2xi8, [1, 4]> scale 3.0 : !snn.signal<2, spike> -> !snn.signal<1, f64>
    %q = snn.slice %x [1] : !snn.signal<3, spike> -> !snn.signal<1, spike>
    %b = snn.scale %q by #snn.tensor<"b", 1xi8, [2]> scale 3.0 : !snn.signal<1, spike> -> !snn.signal<1, f64>
    %h = snn.if @h(%a, %b) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<1, spike>
    snn.output @y %h : !snn.signal<1, spike>
  }
}

// -----

// Floats whose scale is no power of two: the grid is that of the weights, the program's scale is kept as it is.
// CHECK:      cells #snn.tensor<"c0.cells", 4x4xi8, [4, 0, 0, 0, 6, 0, 0, 0,
// CHECK:      scale = 0.025,
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 4, fanin = "digital", max_delay = 3), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
  snn.network @tenth dt 0.001 {
    %x = snn.input @x : !snn.signal<2, spike>
    %a = snn.dense %x weights #snn.tensor<"a", 1x2xf64, [1.0, 1.5]> scale 0.1 : !snn.signal<2, spike> -> !snn.signal<1, f64>
    %h = snn.if @h(%a) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<1, spike>
    snn.output @y %h : !snn.signal<1, spike>
  }
}

// -----

// No stated precision: cells are floats, wide ones where 32 bits would round.
// CHECK:      cells #snn.tensor<"c0.cells", 4x4xf64, [16777217.0,
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 0, fanin = "digital", max_delay = 3), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
  snn.network @wide dt 0.001 {
    %x = snn.input @x : !snn.signal<1, spike>
    %a = snn.dense %x weights #snn.tensor<"a", 1x1xi32, [16777217]> scale 1.0 : !snn.signal<1, spike> -> !snn.signal<1, f64>
    %h = snn.if @h(%a) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<1, spike>
    snn.output @y %h : !snn.signal<1, spike>
  }
}
