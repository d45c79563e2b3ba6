// RUN: snn-opt %s -p convert-snn-to-cluster,cluster-place --split-input-file --verify-diagnostics | filecheck %s
// RUN: snn-opt %s -p cluster-place --split-input-file --verify-diagnostics | filecheck %s --check-prefix=ALONE
// RUN: snn-opt %s -p "convert-snn-to-cluster,cluster-place{effort=0.0}" --split-input-file --verify-diagnostics | filecheck %s --check-prefix=EFFORT
// RUN: snn-opt %s -p "convert-snn-to-cluster,cluster-place{effort=nan}" --split-input-file --verify-diagnostics | filecheck %s --check-prefix=NAN
// RUN: snn-opt %s -p "convert-snn-to-cluster,cluster-place{effort=1001.0}" --split-input-file --verify-diagnostics | filecheck %s --check-prefix=MUCH
// RUN: snn-opt %s -p "convert-snn-to-cluster,cluster-place{seed=-1}" --split-input-file --verify-diagnostics | filecheck %s --check-prefix=SEED

// CHECK: 2 clusters, but the machine 'toy' has 1 crossbars
// ALONE: this pass needs one cluster.program in the module and finds 0
// EFFORT: effort is 0
// EFFORT: give a number above 0 and up to 1,000; 1 is the usual
// NAN: effort is nan
// MUCH: effort is 1001
// SEED: seed is -1
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [1, 1], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 4, fanin = "digital", max_delay = 3), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
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

// CHECK: 'vast' has 1,001,000 tiles, and placement looks at 1,000,000 at most
builtin.module attributes {platform.machine = #platform.machine<"vast", tiles(mesh = [1001, 1000], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 4, fanin = "digital", max_delay = 3), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
  snn.network @toy dt 0.001 {
    %x = snn.input @x : !snn.signal<3, spike>
    %a = snn.dense %x weights #snn.tensor<"a", 3x3xf32, [1.0, 0.5, 0.0, 0.0, 1.0, 0.5, 0.0, 0.0, 1.0]> : !snn.signal<3, spike> -> !snn.signal<3, f64>
    %h = snn.if @h(%a) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<3, spike>
    %b = snn.dense %h weights #snn.tensor<"b", 2x3xf32, [1.0, 1.0, 0.0, 0.0, 1.0, 1.0]> delay 1 : !snn.signal<3, spike> -> !snn.signal<2, f64>
    %o = snn.if @o(%b) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
    snn.output @y %o : !snn.signal<2, spike>
  }
}
