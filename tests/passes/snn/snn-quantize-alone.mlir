// RUN: snn-opt %s -p "snn-quantize{bits=4}" --statistics 2>&1 | filecheck %s
// RUN: snn-opt %s -p "snn-quantize{bits=4},snn-quantize{bits=4}" | filecheck %s --check-prefix=AGAIN
// RUN: not snn-opt %s -p "snn-quantize" 2>&1 | filecheck %s --check-prefix=MACHINE

// What no crossbar can hold is quantised for other tools, and refused where a machine asks for it.
// MACHINE: error: @v: no machine has li neurons yet

// A convolution has a scale per output channel: quarters stay, 0.7 becomes 7 times 0.7 / 7.
// CHECK: snn.conv2d %x weights #snn.tensor<"k", 2x1x1x2xi8, [4, 2, 7, 3]> stride [1, 2] bias #snn.tensor<"b", 2xf32, [0.5, 0.25]> scale #snn.tensor<"k.scale", 2xf64, [0.25, {{0.09999.*|0.1}}]> delay 2 {note = "kept"} :
// Sparse connections have one scale, also those that had one per target: 0.5, 1.75, 3.5 and 0.5.
// CHECK: snn.sparse %h weights #snn.tensor<"s", 4xi8, [1, 4, 7, 1]> from {{.*}} scale 0.5 :
// Weights along the last dimension, for a population that reads currents; the scale that they had stays in it.
// CHECK: snn.dense {{.*}} weights #snn.tensor<"l", 2x2xi8, [2, 4, -6, 0]> scale 0.25 :
// A number is no array of weights.
// CHECK: snn.scale {{.*}} by 0.3 :
// CHECK: snn.li
// CHECK: 0 weights of 'l' changed
// CHECK: 1 weights of 's' changed
// CHECK: 1 weights of @h changed
// AGAIN: weights #snn.tensor<"k", 2x1x1x2xi8, [4, 2, 7, 3]> {{.*}} [0.25, {{0.09999.*|0.1}}]> delay 2
// AGAIN: weights #snn.tensor<"s", 4xi8, [1, 4, 7, 1]> {{.*}} scale 0.5 :
// AGAIN: weights #snn.tensor<"l", 2x2xi8, [2, 4, -6, 0]> scale 0.25 :
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 4), buffers(events = 64), time(unit = "ns", read = 10)>} {
  snn.network @mixed dt 0.001 {
    %x = snn.input @x : !snn.signal<1x2x4, spike>
    %c = snn.conv2d %x weights #snn.tensor<"k", 2x1x1x2xf64, [1.0, 0.5, 0.7, 0.33]> stride [1, 2] bias #snn.tensor<"b", 2xf32, [0.5, 0.25]> delay 2 {note = "kept"} : !snn.signal<1x2x4, spike> -> !snn.signal<2x2x2, f64>
    %h = snn.if @h(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2x2x2, spike>
    %s = snn.sparse %h weights #snn.tensor<"s", 4xf32, [1.0, 3.5, 3.5, 1.0]> from #snn.tensor<"f", 4xi64, [0, 1, 2, 7]> to #snn.tensor<"t", 4xi64, [0, 0, 3, 2]> scale #snn.tensor<"n", 4xf64, [0.5, 1.0, 0.5, 1.0]> : !snn.signal<2x2x2, spike> -> !snn.signal<2x2, f64>
    %l = snn.dense %s weights #snn.tensor<"l", 2x2xf64, [1.0, 2.0, -3.0, 0.0]> scale 0.5 : !snn.signal<2x2, f64> -> !snn.signal<2x2, f64>
    %n = snn.scale %l by 0.3 : !snn.signal<2x2, f64> -> !snn.signal<2x2, f64>
    %v = snn.li @v(%n) with (tau = 0.01, r = 1.0, v_leak = 0.0) using <nir> : !snn.signal<2x2, f64>
    snn.output @y %v : !snn.signal<2x2, f64>
  }
}
