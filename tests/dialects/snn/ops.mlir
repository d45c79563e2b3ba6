// RUN: ROUNDTRIP
// RUN: GENERIC_ROUNDTRIP

// CHECK: snn.network @all dt 0.001 steps 25 {
snn.network @all dt 1.0e-3 steps 25 {
  // CHECK-NEXT: [[X:%.+]] = snn.input @pixels : !snn.signal<2x2, spike>
  %x = snn.input @pixels : !snn.signal<2x2, spike>
  // CHECK-NEXT: [[Y:%.+]] = snn.input @more activity <100 steps, 130 spikes, peak 2, #snn.tensor<"more.counts", 2xi64, [50, 80]>> : !snn.signal<2, spike>
  %y = snn.input @more activity <100 steps, 130 spikes, peak 2, #snn.tensor<"more.counts", 2xi64, [50, 80]>> : !snn.signal<2, spike>
  // CHECK-NEXT: [[F:%.+]] = snn.flatten [[X]] : !snn.signal<2x2, spike> -> !snn.signal<4, spike>
  %f = snn.flatten %x : !snn.signal<2x2, spike> -> !snn.signal<4, spike>
  // CHECK-NEXT: [[P:%.+]] = snn.slice [[F]] [3, 0:2] : !snn.signal<4, spike> -> !snn.signal<3, spike>
  %p = snn.slice %f [3, 0, 1] : !snn.signal<4, spike> -> !snn.signal<3, spike>
  // CHECK-NEXT: [[L:%.+]] = snn.delay [[P]] by 3 : !snn.signal<3, spike>
  %l = snn.delay %p by 3 : !snn.signal<3, spike>
  // CHECK-NEXT: [[A:%.+]] = snn.dense [[L]] weights #snn.tensor<"w", 2x3xf32, [0.5, -0.25, 1.0, 0.0, 2.0, -1.5]> bias #snn.tensor<"b", 2xf64, [0.1, -0.2]> delay 1 : !snn.signal<3, spike> -> !snn.signal<2, f64>
  %a = snn.dense %l weights #snn.tensor<"w", 2x3xf32, [0.5, -0.25, 1, 0, 2.0, -1.5]> bias #snn.tensor<"b", 2xf64, [0.1, -0.2]> delay 1 : !snn.signal<3, spike> -> !snn.signal<2, f64>
  // CHECK-NEXT: [[B:%.+]] = snn.dense [[Y]] weights #snn.tensor<"q", 2x2xi8, [127, -128, 0, 1]> scale 0.0078125 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %b = snn.dense %y weights #snn.tensor<"q", 2x2xi8, "0x7F800001"> scale 0.0078125 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  // CHECK-NEXT: [[C:%.+]] = snn.scale [[Y]] by -0.5 scale #snn.tensor<"s", 2xf64, [0.5, 1.0]> delay 2 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %c = snn.scale %y by -0.5 scale #snn.tensor<"s", 2xf64, [0.5, 1.0]> delay 2 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  // CHECK-NEXT: [[D:%.+]] = snn.scale [[Y]] by #snn.tensor<"v", 2xf32, [1.0, 2.0]> bias #snn.tensor<"vb", 2xf32, [0.0, 1.0]> {note = "kept"} : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %d = snn.scale %y by #snn.tensor<"v", 2xf32, [1.0, 2.0]> bias #snn.tensor<"vb", 2xf32, [0.0, 1.0]> {note = "kept"} : !snn.signal<2, spike> -> !snn.signal<2, f64>
  // CHECK-NEXT: [[T:%.+]] = snn.add [[A]], [[B]] : !snn.signal<2, f64>
  %t = snn.add %a, %b : !snn.signal<2, f64>
  // CHECK-NEXT: [[I:%.+]] = snn.if @integrate([[T]], [[C]]) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir, compare = ge, reset = subtract> : !snn.signal<2, spike>
  %i = snn.if @integrate(%t, %c) with (v_reset = 0.0, r = 1, threshold = 1.0) using <nir, reset = subtract, compare = ge> : !snn.signal<2, spike>
  // CHECK-NEXT: [[J:%.+]] = snn.lif @leaky([[D]]) with (tau = #snn.tensor<"tau", 2xf64, [0.005, 0.01]>, r = 5.0, v_leak = 0.0, threshold = 1.0, v_reset = -0.5) using <nir, decay = exp> activity <10 steps, 3 spikes, peak 1, #snn.tensor<"n", 2xi64, [3, 0]>> : !snn.signal<2, spike>
  %j = snn.lif @leaky(%d) with (tau = #snn.tensor<"tau", 2xf64, [5.0e-3, 0.01]>, r = 5.0, v_leak = 0.0, threshold = 1.0, v_reset = -0.5) using <nir, decay = exp> activity <10 steps, 3 spikes, peak 1, #snn.tensor<"n", 2xi64, [3, 0]>> : !snn.signal<2, spike>
  // CHECK-NEXT: [[K:%.+]] = snn.cuba_lif @"0/silent neuron"() with (tau_syn = 0.002, tau_mem = 0.01, r = 1.0, v_leak = 0.0, threshold = 1.0, v_reset = 0.0, w_in = 1.0e-07) using <nir, order = mem_first> : !snn.signal<2x3, spike>
  %k = snn.cuba_lif @"0/silent neuron"() with (tau_syn = 0.002, tau_mem = 0.01, r = 1.0, v_leak = 0.0, threshold = 1.0, v_reset = 0.0, w_in = 1.0e-7) using <snntorch, order = mem_first> : !snn.signal<2x3, spike>
  // CHECK-NEXT: snn.output @first [[I]] : !snn.signal<2, spike>
  snn.output @first %i : !snn.signal<2, spike>
  // CHECK-NEXT: snn.output @second [[J]] : !snn.signal<2, spike>
  snn.output @second %j : !snn.signal<2, spike>
  // CHECK-NEXT: }
}

// -----

// A recurrent network is a cyclic graph; values may be used before they are made.
// CHECK: snn.network @recurrent dt 0.0001 {
snn.network @recurrent dt 1.0e-4 {
  // CHECK-NEXT: [[BACK:%.+]] = snn.dense [[E:%.+]] weights #snn.tensor<"back", 2x2xf32, [0.0, -1.0, -1.0, 0.0]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %back = snn.dense %e weights #snn.tensor<"back", 2x2xf32, [0.0, -1.0, -1.0, 0.0]> delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  // CHECK-NEXT: [[TO:%.+]] = snn.scale [[O:%.+]] by 1.0 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %to = snn.scale %o by 1.0 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  // CHECK-NEXT: [[E]] = snn.if @even([[BACK]], [[TO]]) with
  %e = snn.if @even(%back, %to) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  // CHECK-NEXT: [[LATE:%.+]] = snn.delay [[E]] by 1 : !snn.signal<2, spike>
  %late = snn.delay %e by 1 : !snn.signal<2, spike>
  // CHECK-NEXT: [[FROM:%.+]] = snn.scale [[LATE]] by 1.0 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %from = snn.scale %late by 1.0 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  // CHECK-NEXT: [[O]] = snn.if @odd([[FROM]]) with
  %o = snn.if @odd(%from) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  // CHECK-NEXT: }
}

// -----

// A network may be empty, carry attributes, and have a name that is no identifier.
// CHECK: snn.network @"layers.0/if" dt 0.001 attributes {origin = "model.nir"} {
// CHECK-NEXT: }
snn.network @"layers.0/if" dt 0.001 attributes {origin = "model.nir"} {
}

// -----

// The attributes on their own.
"test.op"() {
  // CHECK: signals = [!snn.signal<16x28x28, spike>, !snn.signal<128, f32>, !snn.signal<3, i6>, #snn.shape<2x3>]
  signals = [!snn.signal<16x28x28, spike>, !snn.signal<128, f32>, !snn.signal<3, i6>, #snn.shape<2x3>],
  // CHECK-SAME: floats = [#snn.tensor<"f", 3xf32, [1.0e-45, 3.4028235e+38, -0.0]>, #snn.tensor<"d", 2x1xf64, [5.0e-324, 0.1]>, #snn.tensor<"n", 1xf32, "0x0000C07F">]
  floats = [#snn.tensor<"f", 3xf32, [1.0e-45, 3.4028235e+38, -0.0]>, #snn.tensor<"d", 2x1xf64, [5.0e-324, 0.1]>, #snn.tensor<"n", 1xf32, "0x0000C07F">],
  // CHECK-SAME: integers = [#snn.tensor<"i16", 2xi16, [-32768, 32767]>, #snn.tensor<"i32", 1xi32, [-2147483648]>, #snn.tensor<"i64", 1xi64, [9223372036854775807]>, #snn.tensor<"ui8", 2xui8, [0, 255]>]
  integers = [#snn.tensor<"i16", 2xi16, [-32768, 32767]>, #snn.tensor<"i32", 1xi32, [-2147483648]>, #snn.tensor<"i64", 1xi64, [9223372036854775807]>, #snn.tensor<"ui8", 2xui8, [0, 255]>],
  // CHECK-SAME: key = #snn.tensor<"a \22key\22 \\ \C3\A9\0A", 1xi8, [1]>
  key = #snn.tensor<"a \22key\22 \\ \C3\A9\n", 1xi8, [1]>,
  // 65 elements are printed in hex.
  // CHECK-SAME: hex = #snn.tensor<"hex", 65xi8, "0x[[HEX:[0-9A-F]+]]">
  hex = #snn.tensor<"hex", 65xi8, "0x000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F202122232425262728292A2B2C2D2E2F303132333435363738393A3B3C3D3E3F40">,
  // CHECK-SAME: indices = [#snn.indices<[]>, #snn.indices<[5]>, #snn.indices<[0:64, 70, 80:89:2]>, #snn.indices<[3, 1]>]
  indices = [#snn.indices<[]>, #snn.indices<[5]>, #snn.indices<[0:10, 10:64, 70, 80:90:2]>, #snn.indices<[3, 1]>],
  // CHECK-SAME: semantics = [#snn.semantics<nir>, #snn.semantics<nir, reset = subtract>, #snn.semantics<nir, decay = exp, order = mem_first>]
  semantics = [#snn.semantics<norse>, #snn.semantics<snntorch_subtract>, #snn.semantics<nir, order = mem_first, decay = exp, reset = value>],
  // CHECK-SAME: activity = #snn.activity<100 steps, 130 spikes, peak 2, #snn.tensor<"pixels.counts", 2xi64, [50, 80]>>
  activity = #snn.activity<100 steps, 130 spikes, peak 2, #snn.tensor<"pixels.counts", 2xi64, [50, 80]>>
} : () -> ()
