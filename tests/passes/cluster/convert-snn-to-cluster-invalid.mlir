// RUN: snn-opt %s -p convert-snn-to-cluster --split-input-file --verify-diagnostics | filecheck %s

// CHECK: @h: its neurons read 6 axons, a crossbar has 4 rows
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 4, fanin = "none", max_delay = 3), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
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

// -----

// CHECK: a delay of 4 steps; 'toy' delays by 3 at most
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 4, fanin = "digital", max_delay = 3), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
  snn.network @toy dt 0.001 {
    %x = snn.input @x : !snn.signal<3, spike>
    %a = snn.dense %x weights #snn.tensor<"a", 3x3xf32, [1.0, 0.5, 0.0, 0.0, 1.0, 0.5, 0.0, 0.0, 1.0]> : !snn.signal<3, spike> -> !snn.signal<3, f64>
    %h = snn.if @h(%a) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<3, spike>
    %b = snn.dense %h weights #snn.tensor<"b", 2x3xf32, [1.0, 1.0, 0.0, 0.0, 1.0, 1.0]> delay 4 : !snn.signal<3, spike> -> !snn.signal<2, f64>
    %o = snn.if @o(%b) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
    snn.output @y %o : !snn.signal<2, spike>
  }
}

// -----

// CHECK: the machine 'few' has no if neurons
builtin.module attributes {platform.machine = #platform.machine<"few", tiles(mesh = [1, 1], crossbars = 4), crossbar(rows = 4, columns = 4, models = ["lif"]), buffers(events = 9), time(unit = "ns", read = 10)>} {
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

// CHECK: output @y reads the input @x; a machine returns what it computes
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 4, fanin = "digital", max_delay = 3), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
  snn.network @wire dt 0.001 {
    %x = snn.input @x : !snn.signal<3, spike>
    snn.output @y %x : !snn.signal<3, spike>
  }
}

// -----

// CHECK: the module names no machine
  snn.network @toy dt 0.001 {
    %x = snn.input @x : !snn.signal<3, spike>
    %a = snn.dense %x weights #snn.tensor<"a", 3x3xf32, [1.0, 0.5, 0.0, 0.0, 1.0, 0.5, 0.0, 0.0, 1.0]> : !snn.signal<3, spike> -> !snn.signal<3, f64>
    %h = snn.if @h(%a) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<3, spike>
    %b = snn.dense %h weights #snn.tensor<"b", 2x3xf32, [1.0, 1.0, 0.0, 0.0, 1.0, 1.0]> delay 1 : !snn.signal<3, spike> -> !snn.signal<2, f64>
    %o = snn.if @o(%b) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
    snn.output @y %o : !snn.signal<2, spike>
  }

// -----

// CHECK: this pass needs one snn.network in the module and finds 0
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 4, fanin = "digital", max_delay = 3), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
}
