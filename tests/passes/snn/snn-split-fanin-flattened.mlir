// RUN: snn-opt %s -p "snn-split-fanin{mode=relay rows=4}" | filecheck %s

// A convolution before a flatten is cut by input channels; relays read each part flattened.
// CHECK:       %[[F:.*]] = snn.flatten %{{.*}} : !snn.signal<1x2x2, f64> -> !snn.signal<4, f64>
// CHECK-NEXT:  snn.if @h_relay0(%[[F]])
builtin.module {
  snn.network @toy dt 0.001 {
    %x = snn.input @x : !snn.signal<2x2x2, spike>
    %a = snn.conv2d %x weights #snn.tensor<"a", 1x2x2x2xf64, [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]> padding [0, 0] to [1, 1] : !snn.signal<2x2x2, spike> -> !snn.signal<1x2x2, f64>
    %f = snn.flatten %a : !snn.signal<1x2x2, f64> -> !snn.signal<4, f64>
    %h = snn.if @h(%f) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<4, spike>
    snn.output @y %h : !snn.signal<4, spike>
  }
}
