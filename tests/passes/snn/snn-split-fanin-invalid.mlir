// RUN: snn-opt %s -p "snn-split-fanin{mode=relay rows=2}" --split-input-file --verify-diagnostics | filecheck %s

// CHECK: snn.max_pool cannot be placed on crossbars, which add
builtin.module {
  snn.network @toy dt 0.001 {
    %x = snn.input @x : !snn.signal<1x9, spike>
    %m = snn.max_pool %x kernel [2] : !snn.signal<1x9, spike> -> !snn.signal<1x4, spike>
    %a = snn.dense %m weights #snn.tensor<"a", 1x4xf64, [1.0, 1.0, 1.0, 1.0]> : !snn.signal<1x4, spike> -> !snn.signal<1, f64>
    %h = snn.if @h(%a) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<1, spike>
    snn.output @y %h : !snn.signal<1, spike>
  }
}

// -----

// CHECK: @h: no machine can do reset = subtract_repeat yet
builtin.module {
  snn.network @toy dt 0.001 {
    %x = snn.input @x : !snn.signal<3, spike>
    %a = snn.dense %x weights #snn.tensor<"a", 1x3xf64, [1.0, 1.0, 1.0]> : !snn.signal<3, spike> -> !snn.signal<1, f64>
    %h = snn.if @h(%a) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir, reset = subtract_repeat> : !snn.signal<1, spike>
    snn.output @y %h : !snn.signal<1, spike>
  }
}
