// RUN: snn-opt %s -p convert-snn-to-cluster --split-input-file --verify-diagnostics | filecheck %s

// CHECK: net.snn:5:3: error: snn.max_pool cannot be placed on crossbars, which add
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 4, fanin = "digital", max_delay = 3, models = ["if", "lif", "cuba_lif", "dual_lif", "threshold", "integrator", "li", "cuba_li"]), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
  snn.network @toy dt 0.001 {
    %x = snn.input @x : !snn.signal<1x2x2, spike>
    %m = snn.max_pool %x kernel [1, 1] : !snn.signal<1x2x2, spike> -> !snn.signal<1x2x2, spike> loc("net.snn":5:3)
    %c = snn.scale %m by 1.0 : !snn.signal<1x2x2, spike> -> !snn.signal<1x2x2, f64>
    %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<1x2x2, spike> loc("net.snn":4:3)
    snn.output @y %p : !snn.signal<1x2x2, spike>
  }
}

// -----

// CHECK: error: a delay of 4 steps; 'toy' delays by 3 at most
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 4, fanin = "digital", max_delay = 3, models = ["if", "lif", "cuba_lif", "dual_lif", "threshold", "integrator", "li", "cuba_li"]), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
  snn.network @toy dt 0.001 {
    %x = snn.input @x : !snn.signal<1x2x2, spike>
    %f = snn.flatten %x : !snn.signal<1x2x2, spike> -> !snn.signal<4, spike>
    %d = snn.delay %f by #snn.tensor<"d", 4xi64, [1, 2, 3, 4]> : !snn.signal<4, spike> loc("net.snn":5:3)
    %c = snn.scale %d by 1.0 : !snn.signal<4, spike> -> !snn.signal<4, f64>
    %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<4, spike> loc("net.snn":4:3)
    snn.output @y %p : !snn.signal<4, spike>
  }
}

// -----

// CHECK: net.snn:5:3: error: input @i brings currents, and a machine reads spikes
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 4, fanin = "digital", max_delay = 3, models = ["if", "lif", "cuba_lif", "dual_lif", "threshold", "integrator", "li", "cuba_li"]), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
  snn.network @toy dt 0.001 {
    %x = snn.input @i : !snn.signal<4, f64> loc("net.snn":5:3)
    %c = snn.scale %x by 1.0 : !snn.signal<4, f64> -> !snn.signal<4, f64>
    %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<4, spike> loc("net.snn":4:3)
    snn.output @y %p : !snn.signal<4, spike>
  }
}

// -----

// CHECK: net.snn:5:3: error: input @i brought several spikes in one step, and a machine reads 0 or 1
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 4, fanin = "digital", max_delay = 3, models = ["if", "lif", "cuba_lif", "dual_lif", "threshold", "integrator", "li", "cuba_li"]), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
  snn.network @toy dt 0.001 {
    %x = snn.input @i activity <1 steps, 5 spikes, peak 5, #snn.tensor<"n", 4xi64, [2, 1, 1, 1]>> : !snn.signal<4, spike> loc("net.snn":5:3)
    %c = snn.scale %x by 1.0 : !snn.signal<4, spike> -> !snn.signal<4, f64>
    %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<4, spike> loc("net.snn":4:3)
    snn.output @y %p : !snn.signal<4, spike>
  }
}

// -----

// CHECK: net.snn:5:3: error: @q: no machine has dual_lif neurons yet; they have if, lif, cuba_lif
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 4, fanin = "digital", max_delay = 3, models = ["if", "lif", "cuba_lif", "dual_lif", "threshold", "integrator", "li", "cuba_li"]), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
  snn.network @toy dt 0.001 {
    %x = snn.input @x : !snn.signal<1x2x2, spike>
    %f = snn.flatten %x : !snn.signal<1x2x2, spike> -> !snn.signal<4, spike>
    %c = snn.scale %f by 1.0 : !snn.signal<4, spike> -> !snn.signal<4, f64>
    %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<4, spike> loc("net.snn":4:3)
    %q = snn.dual_lif @q(%c) with (tau_exc = 0.002, tau_inh = 0.01, tau_mem = 0.02, r = 1.0, v_leak = 0.0, threshold = 1.0, v_reset = 0.0, w_exc = 1.0, w_inh = 1.0) using <nir> : !snn.signal<4, spike> loc("net.snn":5:3)
    snn.output @y %p : !snn.signal<4, spike>
  }
}

// -----

// CHECK: net.snn:5:3: error: @q: no machine has threshold neurons yet; they have if, lif, cuba_lif
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 4, fanin = "digital", max_delay = 3, models = ["if", "lif", "cuba_lif", "dual_lif", "threshold", "integrator", "li", "cuba_li"]), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
  snn.network @toy dt 0.001 {
    %x = snn.input @x : !snn.signal<1x2x2, spike>
    %f = snn.flatten %x : !snn.signal<1x2x2, spike> -> !snn.signal<4, spike>
    %c = snn.scale %f by 1.0 : !snn.signal<4, spike> -> !snn.signal<4, f64>
    %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<4, spike> loc("net.snn":4:3)
    %q = snn.threshold @q(%c) with (threshold = 1.0) using <nir> : !snn.signal<4, spike> loc("net.snn":5:3)
    snn.output @y %p : !snn.signal<4, spike>
  }
}

// -----

// CHECK: net.snn:5:3: error: @q: no machine has li neurons yet; they have if, lif, cuba_lif
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 4, fanin = "digital", max_delay = 3, models = ["if", "lif", "cuba_lif", "dual_lif", "threshold", "integrator", "li", "cuba_li"]), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
  snn.network @toy dt 0.001 {
    %x = snn.input @x : !snn.signal<1x2x2, spike>
    %f = snn.flatten %x : !snn.signal<1x2x2, spike> -> !snn.signal<4, spike>
    %c = snn.scale %f by 1.0 : !snn.signal<4, spike> -> !snn.signal<4, f64>
    %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<4, spike> loc("net.snn":4:3)
    %q = snn.li @q(%c) with (tau = 0.005, r = 1.0, v_leak = 0.0) using <nir> : !snn.signal<4, f64> loc("net.snn":5:3)
    snn.output @y %p : !snn.signal<4, spike>
  }
}

// -----

// CHECK: net.snn:5:3: error: @q: no machine has cuba_li neurons yet; they have if, lif, cuba_lif
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 4, fanin = "digital", max_delay = 3, models = ["if", "lif", "cuba_lif", "dual_lif", "threshold", "integrator", "li", "cuba_li"]), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
  snn.network @toy dt 0.001 {
    %x = snn.input @x : !snn.signal<1x2x2, spike>
    %f = snn.flatten %x : !snn.signal<1x2x2, spike> -> !snn.signal<4, spike>
    %c = snn.scale %f by 1.0 : !snn.signal<4, spike> -> !snn.signal<4, f64>
    %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<4, spike> loc("net.snn":4:3)
    %q = snn.cuba_li @q(%c) with (tau_syn = 0.002, tau_mem = 0.01, r = 1.0, v_leak = 0.0, w_in = 1.0) using <nir> : !snn.signal<4, f64> loc("net.snn":5:3)
    snn.output @y %p : !snn.signal<4, spike>
  }
}

// -----

// CHECK: net.snn:5:3: error: @q: no machine has integrator neurons yet; they have if, lif, cuba_lif
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 4, fanin = "digital", max_delay = 3, models = ["if", "lif", "cuba_lif", "dual_lif", "threshold", "integrator", "li", "cuba_li"]), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
  snn.network @toy dt 0.001 {
    %x = snn.input @x : !snn.signal<1x2x2, spike>
    %f = snn.flatten %x : !snn.signal<1x2x2, spike> -> !snn.signal<4, spike>
    %c = snn.scale %f by 1.0 : !snn.signal<4, spike> -> !snn.signal<4, f64>
    %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<4, spike> loc("net.snn":4:3)
    %q = snn.integrator @q(%c) with (r = 1.0) using <nir> : !snn.signal<4, f64> loc("net.snn":5:3)
    snn.output @y %p : !snn.signal<4, spike>
  }
}

// -----

// CHECK: net.snn:4:3: error: @p: no machine can do reset = subtract_repeat yet
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 4, fanin = "digital", max_delay = 3, models = ["if", "lif", "cuba_lif", "dual_lif", "threshold", "integrator", "li", "cuba_li"]), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
  snn.network @toy dt 0.001 {
    %x = snn.input @x : !snn.signal<1x2x2, spike>
    %f = snn.flatten %x : !snn.signal<1x2x2, spike> -> !snn.signal<4, spike>
    %c = snn.scale %f by 1.0 : !snn.signal<4, spike> -> !snn.signal<4, f64>
    %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir, reset = subtract_repeat> : !snn.signal<4, spike> loc("net.snn":4:3)
    snn.output @y %p : !snn.signal<4, spike>
  }
}

// -----

// CHECK: net.snn:4:3: error: @p: no machine can do spikes = 2 yet
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 4, fanin = "digital", max_delay = 3, models = ["if", "lif", "cuba_lif", "dual_lif", "threshold", "integrator", "li", "cuba_li"]), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
  snn.network @toy dt 0.001 {
    %x = snn.input @x : !snn.signal<1x2x2, spike>
    %f = snn.flatten %x : !snn.signal<1x2x2, spike> -> !snn.signal<4, spike>
    %c = snn.scale %f by 1.0 : !snn.signal<4, spike> -> !snn.signal<4, f64>
    %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir, reset = subtract, spikes = 2> : !snn.signal<4, spike> loc("net.snn":4:3)
    snn.output @y %p : !snn.signal<4, spike>
  }
}

// -----

// CHECK: net.snn:4:3: error: @p: no machine can do floor = threshold yet
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 4, fanin = "digital", max_delay = 3, models = ["if", "lif", "cuba_lif", "dual_lif", "threshold", "integrator", "li", "cuba_li"]), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
  snn.network @toy dt 0.001 {
    %x = snn.input @x : !snn.signal<1x2x2, spike>
    %f = snn.flatten %x : !snn.signal<1x2x2, spike> -> !snn.signal<4, spike>
    %c = snn.scale %f by 1.0 : !snn.signal<4, spike> -> !snn.signal<4, f64>
    %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir, floor = threshold> : !snn.signal<4, spike> loc("net.snn":4:3)
    snn.output @y %p : !snn.signal<4, spike>
  }
}

// -----

// CHECK: net.snn:4:3: error: @p: no machine can do refractory = 3 yet
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 4, fanin = "digital", max_delay = 3, models = ["if", "lif", "cuba_lif", "dual_lif", "threshold", "integrator", "li", "cuba_li"]), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
  snn.network @toy dt 0.001 {
    %x = snn.input @x : !snn.signal<1x2x2, spike>
    %f = snn.flatten %x : !snn.signal<1x2x2, spike> -> !snn.signal<4, spike>
    %c = snn.scale %f by 1.0 : !snn.signal<4, spike> -> !snn.signal<4, f64>
    %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir, refractory = 3> : !snn.signal<4, spike> loc("net.snn":4:3)
    snn.output @y %p : !snn.signal<4, spike>
  }
}

// -----

// CHECK: net.snn:4:3: error: @p: no machine can do out_delay = 1 yet
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 4, fanin = "digital", max_delay = 3, models = ["if", "lif", "cuba_lif", "dual_lif", "threshold", "integrator", "li", "cuba_li"]), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
  snn.network @toy dt 0.001 {
    %x = snn.input @x : !snn.signal<1x2x2, spike>
    %f = snn.flatten %x : !snn.signal<1x2x2, spike> -> !snn.signal<4, spike>
    %c = snn.scale %f by 1.0 : !snn.signal<4, spike> -> !snn.signal<4, f64>
    %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <spyx> : !snn.signal<4, spike> loc("net.snn":4:3)
    snn.output @y %p : !snn.signal<4, spike>
  }
}

// -----

// CHECK: net.snn:4:3: error: @p: no machine can do weights = trunc8 yet
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 4, fanin = "digital", max_delay = 3, models = ["if", "lif", "cuba_lif", "dual_lif", "threshold", "integrator", "li", "cuba_li"]), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
  snn.network @toy dt 0.001 {
    %x = snn.input @x : !snn.signal<1x2x2, spike>
    %f = snn.flatten %x : !snn.signal<1x2x2, spike> -> !snn.signal<4, spike>
    %c = snn.scale %f by 1.0 : !snn.signal<4, spike> -> !snn.signal<4, f64>
    %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir, weights = trunc8> : !snn.signal<4, spike> loc("net.snn":4:3)
    snn.output @y %p : !snn.signal<4, spike>
  }
}

// -----

// CHECK: net.snn:4:3: error: @p: no machine can do weights = nearest8 yet
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 4, fanin = "digital", max_delay = 3, models = ["if", "lif", "cuba_lif", "dual_lif", "threshold", "integrator", "li", "cuba_li"]), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
  snn.network @toy dt 0.001 {
    %x = snn.input @x : !snn.signal<1x2x2, spike>
    %f = snn.flatten %x : !snn.signal<1x2x2, spike> -> !snn.signal<4, spike>
    %c = snn.scale %f by 1.0 : !snn.signal<4, spike> -> !snn.signal<4, f64>
    %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir, weights = nearest8> : !snn.signal<4, spike> loc("net.snn":4:3)
    snn.output @y %p : !snn.signal<4, spike>
  }
}

// -----

// CHECK: net.snn:4:3: error: @p: no machine can do state = f32 yet
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 4, fanin = "digital", max_delay = 3, models = ["if", "lif", "cuba_lif", "dual_lif", "threshold", "integrator", "li", "cuba_li"]), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
  snn.network @toy dt 0.001 {
    %x = snn.input @x : !snn.signal<1x2x2, spike>
    %f = snn.flatten %x : !snn.signal<1x2x2, spike> -> !snn.signal<4, spike>
    %c = snn.scale %f by 1.0 : !snn.signal<4, spike> -> !snn.signal<4, f64>
    %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir, state = f32> : !snn.signal<4, spike> loc("net.snn":4:3)
    snn.output @y %p : !snn.signal<4, spike>
  }
}

// -----

// CHECK: net.snn:4:3: error: @p: no machine can do decay = int12, out_delay = 1, state = i32 yet
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 4, fanin = "digital", max_delay = 3, models = ["if", "lif", "cuba_lif", "dual_lif", "threshold", "integrator", "li", "cuba_li"]), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
  snn.network @toy dt 0.001 {
    %x = snn.input @x : !snn.signal<1x2x2, spike>
    %f = snn.flatten %x : !snn.signal<1x2x2, spike> -> !snn.signal<4, spike>
    %c = snn.scale %f by 1.0 : !snn.signal<4, spike> -> !snn.signal<4, f64>
    %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <loihi> : !snn.signal<4, spike> loc("net.snn":4:3)
    snn.output @y %p : !snn.signal<4, spike>
  }
}

// -----

// CHECK: net.snn:4:3: error: @p: no machine can do spikes = 255, floor = threshold, weights = nearest8 yet
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 4, fanin = "digital", max_delay = 3, models = ["if", "lif", "cuba_lif", "dual_lif", "threshold", "integrator", "li", "cuba_li"]), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
  snn.network @toy dt 0.001 {
    %x = snn.input @x : !snn.signal<1x2x2, spike>
    %f = snn.flatten %x : !snn.signal<1x2x2, spike> -> !snn.signal<4, spike>
    %c = snn.scale %f by 1.0 : !snn.signal<4, spike> -> !snn.signal<4, f64>
    %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <speck> : !snn.signal<4, spike> loc("net.snn":4:3)
    snn.output @y %p : !snn.signal<4, spike>
  }
}

// -----

// CHECK: net.snn:4:3: error: @p: no machine can do bias = membrane, weights = trunc8 yet
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 4, fanin = "digital", max_delay = 3, models = ["if", "lif", "cuba_lif", "dual_lif", "threshold", "integrator", "li", "cuba_li"]), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
  snn.network @toy dt 0.001 {
    %x = snn.input @x : !snn.signal<1x2x2, spike>
    %f = snn.flatten %x : !snn.signal<1x2x2, spike> -> !snn.signal<4, spike>
    %c = snn.scale %f by 1.0 : !snn.signal<4, spike> -> !snn.signal<4, f64>
    %p = snn.cuba_lif @p(%c) with (tau_syn = 0.001, tau_mem = 0.001, r = 1.0, v_leak = 0.0, threshold = 1.0, v_reset = 0.0, w_in = 1.0) using <spinnaker2> : !snn.signal<4, spike> loc("net.snn":4:3)
    snn.output @y %p : !snn.signal<4, spike>
  }
}

// -----

// CHECK: net.snn:5:3: error: output @y reads a part or a delayed copy of @p; a machine returns whole populations as they emit
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 4, fanin = "digital", max_delay = 3, models = ["if", "lif", "cuba_lif", "dual_lif", "threshold", "integrator", "li", "cuba_li"]), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
  snn.network @toy dt 0.001 {
    %x = snn.input @x : !snn.signal<1x2x2, spike>
    %f = snn.flatten %x : !snn.signal<1x2x2, spike> -> !snn.signal<4, spike>
    %c = snn.scale %f by 1.0 : !snn.signal<4, spike> -> !snn.signal<4, f64>
    %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<4, spike> loc("net.snn":4:3)
    %d = snn.delay %p by 1 : !snn.signal<4, spike>
    snn.output @y %d : !snn.signal<4, spike> loc("net.snn":5:3)
  }
}

// -----

// CHECK: net.snn:5:3: error: output @y reads a part or a delayed copy of @p; a machine returns whole populations as they emit
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 4, fanin = "digital", max_delay = 3, models = ["if", "lif", "cuba_lif", "dual_lif", "threshold", "integrator", "li", "cuba_li"]), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
  snn.network @toy dt 0.001 {
    %x = snn.input @x : !snn.signal<1x2x2, spike>
    %f = snn.flatten %x : !snn.signal<1x2x2, spike> -> !snn.signal<4, spike>
    %c = snn.scale %f by 1.0 : !snn.signal<4, spike> -> !snn.signal<4, f64>
    %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<4, spike> loc("net.snn":4:3)
    %d = snn.slice %p [0:3] : !snn.signal<4, spike> -> !snn.signal<3, spike>
    snn.output @y %d : !snn.signal<3, spike> loc("net.snn":5:3)
  }
}

// -----

// CHECK: net.snn:5:3: error: output @y reads the input @x; a machine returns what it computes
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 4, fanin = "digital", max_delay = 3, models = ["if", "lif", "cuba_lif", "dual_lif", "threshold", "integrator", "li", "cuba_li"]), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
  snn.network @toy dt 0.001 {
    %x = snn.input @x : !snn.signal<1x2x2, spike>
    %f = snn.flatten %x : !snn.signal<1x2x2, spike> -> !snn.signal<4, spike>
    %c = snn.scale %f by 1.0 : !snn.signal<4, spike> -> !snn.signal<4, f64>
    %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<4, spike> loc("net.snn":4:3)
    snn.output @y %c : !snn.signal<4, f64> loc("net.snn":5:3)
  }
}

// -----

// CHECK: error: reads a current, but machines return spikes
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 4, fanin = "digital", max_delay = 3, models = ["if", "lif", "cuba_lif", "dual_lif", "threshold", "integrator", "li", "cuba_li"]), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
  snn.network @toy dt 0.001 {
    %x = snn.input @x : !snn.signal<1x2x2, spike>
    %c = snn.sum_pool %x kernel [1, 1] : !snn.signal<1x2x2, spike> -> !snn.signal<1x2x2, f64> loc("net.snn":5:3)
    snn.output @y %c : !snn.signal<1x2x2, f64>
  }
}
// -----

// What only makes other constants is no reason to refuse, nor is a bias where there is one place for it.
// CHECK: cluster.program of @toy
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 4, fanin = "digital", max_delay = 3, models = ["if", "lif", "cuba_lif", "dual_lif", "threshold", "integrator", "li", "cuba_li"]), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
  snn.network @toy dt 0.001 {
    %x = snn.input @x : !snn.signal<1x2x2, spike>
    %f = snn.flatten %x : !snn.signal<1x2x2, spike> -> !snn.signal<4, spike>
    %c = snn.scale %f by 1.0 : !snn.signal<4, spike> -> !snn.signal<4, f64>
    %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir, decay = exact, pulse = dirac, order = mem_first, compare = ge, reset = subtract, bias = membrane> : !snn.signal<4, spike> loc("net.snn":4:3)
    %g = snn.flatten %p : !snn.signal<4, spike> -> !snn.signal<4, spike>
    snn.output @y %g : !snn.signal<4, spike>
  }
}
