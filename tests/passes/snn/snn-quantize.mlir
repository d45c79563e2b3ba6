// RUN: snn-opt %s -p "snn-quantize{bits=4}" --statistics 2>&1 | filecheck %s
// RUN: snn-opt %s -p "snn-quantize{bits=4},snn-quantize{bits=4}" | filecheck %s --check-prefix=AGAIN
// RUN: snn-opt %s -p "snn-quantize{bits=12}" | filecheck %s --check-prefix=MORE
// RUN: not snn-opt %s -p "snn-quantize{bits=1}" 2>&1 | filecheck %s --check-prefix=FEW
// RUN: not snn-opt %s -p "snn-quantize" 2>&1 | filecheck %s --check-prefix=MACHINE

// FEW:     error: 1 bits
// MACHINE: error: no precision to quantise to

// Integers of 4 bits are -7 to 7. @h[0] lies on quarters and keeps its weights (4 * 0.25 = 1, 2 * 0.25). @h[1] does not:
// its largest weight, 0.7, becomes 7 times 0.7 / 7, and 0.33 becomes 3 of these, 0.04 none. Both projections share the
// scale; bias and delay stay.
// CHECK: snn.dense %x weights #snn.tensor<"a", 2x2xi8, [4, 2, 7, 3]> bias #snn.tensor<"bias", 2xf64, [0.125, 0.0]> scale #snn.tensor<"h.scale", 2xf64, [0.25, {{0.09999.*|0.1}}]> :
// CHECK: snn.scale %x by #snn.tensor<"b", 2xi8, [4, 0]> scale #snn.tensor<"h.scale", 2xf64, [0.25, {{0.09999.*|0.1}}]> delay 1 :
// CHECK: snn.output
// CHECK: 4 bits of @h
// CHECK: 40000 largest change of @h, millionths
// CHECK: 2 weights of @h changed
// AGAIN: snn.dense %x weights #snn.tensor<"a", 2x2xi8, [4, 2, 7, 3]> {{.*}} [0.25, {{0.09999.*|0.1}}]>
// MORE:  snn.dense %x weights #snn.tensor<"a", 2x2xi16, [1024, 512, 2047, 965]>
builtin.module {
  snn.network @toy dt 0.001 {
    %x = snn.input @x : !snn.signal<2, spike>
    %a = snn.dense %x weights #snn.tensor<"a", 2x2xf64, [1.0, 0.5, 0.7, 0.33]> bias #snn.tensor<"bias", 2xf64, [0.125, 0.0]> : !snn.signal<2, spike> -> !snn.signal<2, f64>
    %b = snn.scale %x by #snn.tensor<"b", 2xf64, [1.0, 0.04]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
    %h = snn.if @h(%a, %b) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
    snn.output @y %h : !snn.signal<2, spike>
  }
}
