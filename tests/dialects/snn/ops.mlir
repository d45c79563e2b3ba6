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

// Convolutions, pools and sparse connections, each with the least and with the most that can be said.
// CHECK: snn.network @projections dt 0.001 {
snn.network @projections dt 0.001 {
  // CHECK-NEXT: [[S:%.+]] = snn.input @sound : !snn.signal<2x6, spike>
  %s = snn.input @sound : !snn.signal<2x6, spike>
  // CHECK-NEXT: [[X:%.+]] = snn.input @image : !snn.signal<2x4x5, f64>
  %x = snn.input @image : !snn.signal<2x4x5, f64>
  // CHECK-NEXT: {{%.+}} = snn.conv1d [[S]] weights #snn.tensor<"k", 1x2x2xf32, [1.0, 2.0, 3.0, 4.0]> : !snn.signal<2x6, spike> -> !snn.signal<1x5, f64>
  %c = snn.conv1d %s weights #snn.tensor<"k", 1x2x2xf32, [1, 2, 3, 4]> : !snn.signal<2x6, spike> -> !snn.signal<1x5, f64>
  // CHECK-NEXT: {{%.+}} = snn.conv1d [[S]] weights #snn.tensor<"g", 2x1x2xi8, [1, 2, 3, 4]> stride [2] padding [3] to [0] dilation [2] groups 2 bias #snn.tensor<"b", 2xf32, [0.5, -0.5]> scale #snn.tensor<"s", 2xf64, [0.5, 0.25]> delay 4 {note = "kept"} : !snn.signal<2x6, spike> -> !snn.signal<2x4, f64>
  %d = snn.conv1d %s weights #snn.tensor<"g", 2x1x2xi8, [1, 2, 3, 4]> stride [2] padding [3] to [0] dilation [2] groups 2 bias #snn.tensor<"b", 2xf32, [0.5, -0.5]> scale #snn.tensor<"s", 2xf64, [0.5, 0.25]> delay 4 {note = "kept"} : !snn.signal<2x6, spike> -> !snn.signal<2x4, f64>
  // CHECK-NEXT: {{%.+}} = snn.conv2d [[X]] weights #snn.tensor<"w", 1x2x1x3xf32, [1.0, 0.0, -1.0, 2.0, 0.0, -2.0]> : !snn.signal<2x4x5, f64> -> !snn.signal<1x4x3, f64>
  %e = snn.conv2d %x weights #snn.tensor<"w", 1x2x1x3xf32, [1, 0, -1, 2, 0, -2]> stride [1, 1] padding [0, 0] to [0, 0] dilation [1, 1] groups 1 delay 0 : !snn.signal<2x4x5, f64> -> !snn.signal<1x4x3, f64>
  // CHECK-NEXT: {{%.+}} = snn.conv2d [[X]] weights #snn.tensor<"v", 2x1x1x2xf64, [1.0, 2.0, 3.0, 4.0]> stride [1, 3] padding [0, 1] dilation [1, 2] groups 2 scale 0.5 : !snn.signal<2x4x5, f64> -> !snn.signal<2x4x2, f64>
  %f = snn.conv2d %x weights #snn.tensor<"v", 2x1x1x2xf64, [1, 2, 3, 4]> stride [1, 3] padding [0, 1] dilation [1, 2] groups 2 scale 0.5 : !snn.signal<2x4x5, f64> -> !snn.signal<2x4x2, f64>
  // CHECK-NEXT: {{%.+}} = snn.conv2d [[X]] weights #snn.tensor<"u", 1x2x1x1xf64, [1.0, 2.0]> padding [0, 0] to [2, 1] : !snn.signal<2x4x5, f64> -> !snn.signal<1x6x6, f64>
  %g = snn.conv2d %x weights #snn.tensor<"u", 1x2x1x1xf64, [1, 2]> padding [0, 0] to [2, 1] : !snn.signal<2x4x5, f64> -> !snn.signal<1x6x6, f64>
  // CHECK-NEXT: {{%.+}} = snn.sum_pool [[S]] kernel [2] : !snn.signal<2x6, spike> -> !snn.signal<2x3, f64>
  %h = snn.sum_pool %s kernel [2] stride [2] : !snn.signal<2x6, spike> -> !snn.signal<2x3, f64>
  // CHECK-NEXT: {{%.+}} = snn.avg_pool [[X]] kernel [2, 3] stride [1, 2] padding [1, 1] {note = "kept"} : !snn.signal<2x4x5, f64> -> !snn.signal<2x5x3, f64>
  %i = snn.avg_pool %x kernel [2, 3] stride [1, 2] padding [1, 1] {note = "kept"} : !snn.signal<2x4x5, f64> -> !snn.signal<2x5x3, f64>
  // CHECK-NEXT: {{%.+}} = snn.max_pool [[X]] kernel [4, 5] : !snn.signal<2x4x5, f64> -> !snn.signal<2x1x1, f64>
  %j = snn.max_pool %x kernel [4, 5] : !snn.signal<2x4x5, f64> -> !snn.signal<2x1x1, f64>
  // CHECK-NEXT: {{%.+}} = snn.max_pool [[S]] kernel [3] padding [0] to [3] : !snn.signal<2x6, spike> -> !snn.signal<2x3, spike>
  %k = snn.max_pool %s kernel [3] padding [0] to [3] : !snn.signal<2x6, spike> -> !snn.signal<2x3, spike>
  // CHECK-NEXT: {{%.+}} = snn.sparse [[S]] weights #snn.tensor<"w", 3xf32, [1.0, 2.0, 4.0]> from #snn.tensor<"from", 3xi64, [11, 0, 11]> to #snn.tensor<"to", 3xi64, [2, 2, 2]> : !snn.signal<2x6, spike> -> !snn.signal<3, f64>
  %l = snn.sparse %s weights #snn.tensor<"w", 3xf32, [1, 2, 4]> from #snn.tensor<"from", 3xi64, [11, 0, 11]> to #snn.tensor<"to", 3xi64, [2, 2, 2]> : !snn.signal<2x6, spike> -> !snn.signal<3, f64>
  // CHECK-NEXT: {{%.+}} = snn.sparse [[X]] weights #snn.tensor<"w", 1xi16, [-300]> from #snn.tensor<"from", 1xi64, [39]> to #snn.tensor<"to", 1xi64, [5]> delays #snn.tensor<"delays", 1xi64, [2147483647]> bias #snn.tensor<"b", 6xf32, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]> scale 0.125 delay 2147483647 {note = "kept"} : !snn.signal<2x4x5, f64> -> !snn.signal<2x3, f64>
  %m = snn.sparse %x weights #snn.tensor<"w", 1xi16, [-300]> from #snn.tensor<"from", 1xi64, [39]> to #snn.tensor<"to", 1xi64, [5]> delays #snn.tensor<"delays", 1xi64, [2147483647]> bias #snn.tensor<"b", 6xf32, [0, 1, 2, 3, 4, 5]> scale 0.125 delay 2147483647 {note = "kept"} : !snn.signal<2x4x5, f64> -> !snn.signal<2x3, f64>
  // Dense weights for all neurons, and along the last dimension.
  // CHECK-NEXT: {{%.+}} = snn.dense [[S]] weights #snn.tensor<"d", 1x12xi8, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]> scale 1.0 : !snn.signal<2x6, spike> -> !snn.signal<1, f64>
  %n = snn.dense %s weights #snn.tensor<"d", 1x12xi8, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]> scale 1.0 : !snn.signal<2x6, spike> -> !snn.signal<1, f64>
  // CHECK-NEXT: {{%.+}} = snn.dense [[X]] weights #snn.tensor<"e", 1x5xf32, [1.0, 2.0, 3.0, 4.0, 5.0]> bias #snn.tensor<"b", 1xf32, [0.5]> scale #snn.tensor<"s", 1xf32, [2.0]> : !snn.signal<2x4x5, f64> -> !snn.signal<2x4x1, f64>
  %o = snn.dense %x weights #snn.tensor<"e", 1x5xf32, [1, 2, 3, 4, 5]> bias #snn.tensor<"b", 1xf32, [0.5]> scale #snn.tensor<"s", 1xf32, [2]> : !snn.signal<2x4x5, f64> -> !snn.signal<2x4x1, f64>
  // CHECK-NEXT: }
}

// -----

// Shapes, sums and delays of spikes and currents; outputs may read any of it.
// CHECK: snn.network @shapes dt 0.001 {
snn.network @shapes dt 0.001 {
  // CHECK-NEXT: [[X:%.+]] = snn.input @x activity <2 steps, 510 spikes, peak 510, percentiles [0, 510, 510], #snn.tensor<"n", 12xi64, {{.*}}>> : !snn.signal<1x2x1x6, spike>
  %x = snn.input @x activity <2 steps, 510 spikes, peak 510, percentiles [0, 510, 510], #snn.tensor<"n", 12xi64, [255, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]>> : !snn.signal<1x2x1x6, spike>
  // CHECK-NEXT: [[Y:%.+]] = snn.input @y {note = "kept"} : !snn.signal<2x6, f64>
  %y = snn.input @y {note = "kept"} : !snn.signal<2x6, f64>
  // CHECK-NEXT: [[F:%.+]] = snn.flatten [[X]] : !snn.signal<1x2x1x6, spike> -> !snn.signal<2x6, spike>
  %f = snn.flatten %x : !snn.signal<1x2x1x6, spike> -> !snn.signal<2x6, spike>
  // CHECK-NEXT: {{%.+}} = snn.flatten [[X]] : !snn.signal<1x2x1x6, spike> -> !snn.signal<1x2x6, spike>
  %g = snn.flatten %x : !snn.signal<1x2x1x6, spike> -> !snn.signal<1x2x6, spike>
  // CHECK-NEXT: {{%.+}} = snn.flatten [[X]] : !snn.signal<1x2x1x6, spike> -> !snn.signal<1x2x1x6, spike>
  %h = snn.flatten %x : !snn.signal<1x2x1x6, spike> -> !snn.signal<1x2x1x6, spike>
  // CHECK-NEXT: {{%.+}} = snn.flatten [[X]] : !snn.signal<1x2x1x6, spike> -> !snn.signal<2x1x6, spike>
  %i = snn.flatten %x : !snn.signal<1x2x1x6, spike> -> !snn.signal<2x1x6, spike>
  // CHECK-NEXT: {{%.+}} = snn.flatten [[Y]] : !snn.signal<2x6, f64> -> !snn.signal<12, f64>
  %j = snn.flatten %y : !snn.signal<2x6, f64> -> !snn.signal<12, f64>
  // CHECK-NEXT: [[A:%.+]] = snn.add [[F]], [[Y]], [[F]] {note = "kept"} : (!snn.signal<2x6, spike>, !snn.signal<2x6, f64>, !snn.signal<2x6, spike>) -> !snn.signal<2x6, f64>
  %a = snn.add %f, %y, %f {note = "kept"} : (!snn.signal<2x6, spike>, !snn.signal<2x6, f64>, !snn.signal<2x6, spike>) -> !snn.signal<2x6, f64>
  // CHECK-NEXT: [[B:%.+]] = snn.add [[F]] : (!snn.signal<2x6, spike>) -> !snn.signal<2x6, f64>
  %b = snn.add %f : (!snn.signal<2x6, spike>) -> !snn.signal<2x6, f64>
  // CHECK-NEXT: [[C:%.+]] = snn.add [[A]], [[B]] : !snn.signal<2x6, f64>
  %c = snn.add %a, %b : (!snn.signal<2x6, f64>, !snn.signal<2x6, f64>) -> !snn.signal<2x6, f64>
  // CHECK-NEXT: [[S:%.+]] = snn.slice [[C]] [11, 0] : !snn.signal<2x6, f64> -> !snn.signal<2, f64>
  %s = snn.slice %c [11, 0] : !snn.signal<2x6, f64> -> !snn.signal<2, f64>
  // CHECK-NEXT: [[D:%.+]] = snn.delay [[S]] by #snn.tensor<"delays", 2xi64, [0, 9]> {note = "kept"} : !snn.signal<2, f64>
  %d = snn.delay %s by #snn.tensor<"delays", 2xi64, [0, 9]> {note = "kept"} : !snn.signal<2, f64>
  // CHECK-NEXT: [[E:%.+]] = snn.delay [[D]] by 2147483647 : !snn.signal<2, f64>
  %e = snn.delay %d by 2147483647 : !snn.signal<2, f64>
  // CHECK-NEXT: snn.output @current [[E]] : !snn.signal<2, f64>
  snn.output @current %e : !snn.signal<2, f64>
  // CHECK-NEXT: snn.output @part [[F]] : !snn.signal<2x6, spike>
  snn.output @part %f : !snn.signal<2x6, spike>
  // CHECK-NEXT: }
}

// -----

// The neuron models; those without a threshold emit their membrane. A preset means what it means for the model.
// CHECK: snn.network @models dt 0.001 {
snn.network @models dt 0.001 {
  // CHECK-NEXT: [[X:%.+]] = snn.input @x : !snn.signal<2, spike>
  %x = snn.input @x : !snn.signal<2, spike>
  // CHECK-NEXT: [[C:%.+]] = snn.scale [[X]] by 1.0
  %c = snn.scale %x by 1.0 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  // CHECK-NEXT: [[LI:%.+]] = snn.li @li([[C]]) with (tau = 0.005, r = 1.0, v_leak = 0.25) using <nir, decay = exp, pulse = euler, compare = ge, reset = subtract> : !snn.signal<2, f64>
  %li = snn.li @li(%c) with (tau = 0.005, r = 1.0, v_leak = 0.25) using <sinabs> : !snn.signal<2, f64>
  // CHECK-NEXT: [[CUBA:%.+]] = snn.cuba_li @cuba_li([[C]]) with (tau_syn = 0.002, tau_mem = #snn.tensor<"tau", 2xf32, [0.5, 0.25]>, r = 1.0, v_leak = 0.0, w_in = 2.0) using <nir> : !snn.signal<2, f64>
  %cuba = snn.cuba_li @cuba_li(%c) with (tau_syn = 0.002, tau_mem = #snn.tensor<"tau", 2xf32, [0.5, 0.25]>, r = 1.0, v_leak = 0.0, w_in = 2.0) using <nir> : !snn.signal<2, f64>
  // CHECK-NEXT: [[SUM:%.+]] = snn.integrator @sum([[LI]], [[CUBA]]) with (r = 0.5) using <nir> {note = "kept"} : !snn.signal<2, f64>
  %sum = snn.integrator @sum(%li, %cuba) with (r = 0.5) using <nir> {note = "kept"} : !snn.signal<2, f64>
  // CHECK-NEXT: [[T:%.+]] = snn.threshold @step([[SUM]]) with (threshold = #snn.tensor<"t", 2xf64, [0.5, -1.0]>) using <nir, compare = ge> activity <1 steps, 2 spikes, peak 2, percentiles [2, 2, 2], #snn.tensor<"n", 2xi64, [1, 1]>> : !snn.signal<2, spike>
  %t = snn.threshold @step(%sum) with (threshold = #snn.tensor<"t", 2xf64, [0.5, -1.0]>) using <nir, compare = ge> activity <1 steps, 2 spikes, peak 2, percentiles [2, 2, 2], #snn.tensor<"n", 2xi64, [1, 1]>> : !snn.signal<2, spike>
  // CHECK-NEXT: [[L:%.+]] = snn.lif @lif() with (tau = 0.005, r = 1.0, v_leak = 0.0, threshold = 1.0, v_reset = 0.0) using <nir, decay = exp, pulse = euler, compare = ge, reset = subtract, spikes = 255, weights = nearest8> : !snn.signal<2, spike>
  %l = snn.lif @lif() with (tau = 0.005, r = 1.0, v_leak = 0.0, threshold = 1.0, v_reset = 0.0) using <speck> : !snn.signal<2, spike>
  // CHECK-NEXT: [[I:%.+]] = snn.if @if() with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir, decay = exp, pulse = euler, compare = ge, reset = subtract, spikes = 3, floor = threshold, refractory = 2, out_delay = 1> : !snn.signal<2, spike>
  %i = snn.if @if() with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <sinabs, spikes = 3, refractory = 2, out_delay = 1> : !snn.signal<2, spike>
  // CHECK-NEXT: {{%.+}} = snn.dual_lif @both([[C]], [[SUM]] | [[LI]]) with (tau_exc = 0.002, tau_inh = 0.01, tau_mem = 0.02, r = 1.0, v_leak = 0.0, threshold = 1.0, v_reset = 0.0, w_exc = 1.0, w_inh = -1.0) using <nir> : !snn.signal<2, spike>
  %d = snn.dual_lif @both(%c, %sum | %li) with (tau_exc = 0.002, tau_inh = 0.01, tau_mem = 0.02, r = 1.0, v_leak = 0.0, threshold = 1.0, v_reset = 0.0, w_exc = 1.0, w_inh = -1.0) using <nir> : !snn.signal<2, spike>
  // CHECK-NEXT: {{%.+}} = snn.dual_lif @first([[C]]) with {{.*}} using <nir, decay = exact, pulse = dirac, order = mem_first, compare = ge> : !snn.signal<2, spike>
  %e = snn.dual_lif @first(%c) with (tau_exc = 0.002, tau_inh = 0.01, tau_mem = 0.02, r = 1.0, v_leak = 0.0, threshold = 1.0, v_reset = 0.0, w_exc = 1.0, w_inh = 1.0) using <nest> : !snn.signal<2, spike>
  // CHECK-NEXT: {{%.+}} = snn.dual_lif @second(| [[C]], [[LI]]) with
  %f = snn.dual_lif @second(| %c, %li) with (tau_exc = 0.002, tau_inh = 0.01, tau_mem = 0.02, r = 1.0, v_leak = 0.0, threshold = 1.0, v_reset = 0.0, w_exc = 1.0, w_inh = 1.0) using <nir> : !snn.signal<2, spike>
  // CHECK-NEXT: {{%.+}} = snn.dual_lif @none() with
  %g = snn.dual_lif @none( | ) with (tau_exc = 0.002, tau_inh = 0.01, tau_mem = 0.02, r = 1.0, v_leak = 0.0, threshold = 1.0, v_reset = 0.0, w_exc = 1.0, w_inh = 1.0) using <nir> : !snn.signal<2, spike>
  // CHECK-NEXT: snn.output @membrane [[SUM]] : !snn.signal<2, f64>
  snn.output @membrane %sum : !snn.signal<2, f64>
  // CHECK-NEXT: }
}

// -----

// A delay of emission is a delay of the cycle: no other is needed.
// CHECK: snn.network @late dt 0.001 {
snn.network @late dt 0.001 {
  // CHECK-NEXT: [[C:%.+]] = snn.sparse [[P:%.+]] weights
  %c = snn.sparse %p weights #snn.tensor<"w", 1xf32, [1.0]> from #snn.tensor<"from", 1xi64, [0]> to #snn.tensor<"to", 1xi64, [1]> : !snn.signal<2, spike> -> !snn.signal<2, f64>
  // CHECK-NEXT: [[P]] = snn.if @p([[C]]) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir, reset = subtract, out_delay = 1>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <spyx> : !snn.signal<2, spike>
  // CHECK-NEXT: [[D:%.+]] = snn.delay [[Q:%.+]] by #snn.tensor<"delays", 2xi64, [2, 1]>
  %d = snn.delay %q by #snn.tensor<"delays", 2xi64, [2, 1]> : !snn.signal<2, spike>
  // CHECK-NEXT: [[E:%.+]] = snn.scale [[D]] by 1.0
  %e = snn.scale %d by 1.0 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  // CHECK-NEXT: [[Q]] = snn.if @q([[E]])
  %q = snn.if @q(%e) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
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
  // CHECK-SAME: semantics = [#snn.semantics<nir>, #snn.semantics<nir, reset = subtract, out_delay = 1>, #snn.semantics<nir, decay = exp, order = mem_first>]
  semantics = [#snn.semantics<norse>, #snn.semantics<spyx>, #snn.semantics<nir, order = mem_first, decay = exp, reset = value>],
  // Every field, in one order.
  // CHECK-SAME: fields = [#snn.semantics<nir, decay = exact, pulse = dirac, order = mem_first, compare = ge, reset = subtract, spikes = 255, floor = threshold, refractory = 2147483648, out_delay = 3, bias = membrane, weights = nearest8, state = f32>, #snn.semantics<nir, decay = int12, pulse = euler, reset = subtract_repeat, weights = trunc8, state = i32>]
  fields = [#snn.semantics<nir, state = f32, weights = nearest8, bias = membrane, out_delay = 3, refractory = 0x80000000, floor = threshold, spikes = 255, reset = subtract, compare = ge, order = mem_first, pulse = dirac, decay = exact>, #snn.semantics<loihi, out_delay = 0, reset = subtract_repeat, weights = trunc8>],
  // CHECK-SAME: presets = [#snn.semantics<nir>, #snn.semantics<nir, decay = exp, pulse = euler, compare = ge, reset = subtract, spikes = 255, floor = threshold>, #snn.semantics<nir, decay = exp, pulse = euler, compare = ge, reset = subtract, spikes = 255, floor = threshold, weights = nearest8>, #snn.semantics<nir, decay = exp, pulse = euler, compare = ge, reset = subtract, spikes = 255>, #snn.semantics<nir, decay = int12, pulse = euler, out_delay = 1, state = i32>, #snn.semantics<nir, bias = membrane, weights = trunc8>, #snn.semantics<nir, decay = exact, pulse = dirac, order = mem_first, compare = ge>]
  presets = [#snn.semantics<snntorch>, #snn.semantics<sinabs>, #snn.semantics<speck>, #snn.semantics<rockpool>, #snn.semantics<loihi>, #snn.semantics<spinnaker2>, #snn.semantics<nest>],
  // CHECK-SAME: numbers = [#snn.ints<[]>, #snn.ints<[2, -1, 99999999999999999999]>]
  numbers = [#snn.ints<[]>, #snn.ints<[2, -1, 99999999999999999999]>],
  // CHECK-SAME: percentiles = #snn.activity<4 steps, 6 spikes, peak 3, percentiles [1, 2, 3], #snn.tensor<"c", 2xi64, [6, 0]>>
  percentiles = #snn.activity<4 steps, 6 spikes, peak 3, percentiles [1, 2, 3], #snn.tensor<"c", 2xi64, [6, 0]>>,
  // CHECK-SAME: activity = #snn.activity<100 steps, 130 spikes, peak 2, #snn.tensor<"pixels.counts", 2xi64, [50, 80]>>
  activity = #snn.activity<100 steps, 130 spikes, peak 2, #snn.tensor<"pixels.counts", 2xi64, [50, 80]>>
} : () -> ()

// CHECK-LABEL: snn.network @ordinary dt 0.001 steps 1 {
snn.network @ordinary dt 0.001 steps 1 {
  // CHECK-NEXT: %[[X:.*]] = snn.input @x coded (step = 0.25, zero = -1.0) : !snn.signal<2, i4>
  %x = snn.input @x coded (step = 0.25, zero = -1.0) : !snn.signal<2, i4>
  // CHECK-NEXT: %[[C:.*]] = snn.scale %[[X]] by 0.5 : !snn.signal<2, i4> -> !snn.signal<2, f64>
  %c = snn.scale %x by 0.5 : !snn.signal<2, i4> -> !snn.signal<2, f64>
  // CHECK-NEXT: %[[H:.*]] = snn.relu @h(%[[C]], %[[C]]) : !snn.signal<2, f64>
  %h = snn.relu @h(%c, %c) : !snn.signal<2, f64>
  // CHECK-NEXT: %[[Q:.*]] = snn.clip @q(%[[H]]) with (low = -1.0, high = 8.0) coded (step = 0.0625) : !snn.signal<2, si8>
  %q = snn.clip @q(%h) with (low = -1.0, high = 8.0) coded (step = 0.0625) : !snn.signal<2, si8>
  // CHECK-NEXT: %{{.*}} = snn.leaky_relu @l(%[[H]]) with (slope = #snn.tensor<"s", 2xf64, [0.5, 0.25]>) : !snn.signal<2, f64>
  %l = snn.leaky_relu @l(%h) with (slope = #snn.tensor<"s", 2xf64, [0.5, 0.25]>) : !snn.signal<2, f64>
  // CHECK-NEXT: %{{.*}} = snn.elu @e(%[[H]]) with (alpha = 1.0) : !snn.signal<2, f64>
  %e = snn.elu @e(%h) with (alpha = 1.0) : !snn.signal<2, f64>
  // CHECK-NEXT: %{{.*}} = snn.selu @se(%[[H]]) with (alpha = 1.5, gamma = 1.0) : !snn.signal<2, f64>
  %se = snn.selu @se(%h) with (alpha = 1.5, gamma = 1.0) : !snn.signal<2, f64>
  // CHECK-NEXT: %{{.*}} = snn.sigmoid @si(%[[H]]) coded (step = #snn.tensor<"t", 2xf64, [0.5, 0.25]>) : !snn.signal<2, i2>
  %si = snn.sigmoid @si(%h) coded (step = #snn.tensor<"t", 2xf64, [0.5, 0.25]>) : !snn.signal<2, i2>
  // CHECK-NEXT: %{{.*}} = snn.tanh @t(%[[H]]) : !snn.signal<2, f64>
  %t = snn.tanh @t(%h) : !snn.signal<2, f64>
  // CHECK-NEXT: %{{.*}} = snn.softplus @sp(%[[H]]) : !snn.signal<2, f64>
  %sp = snn.softplus @sp(%h) : !snn.signal<2, f64>
  // CHECK-NEXT: %{{.*}} = snn.softmax @p(%[[H]]) : !snn.signal<2, f64>
  %p = snn.softmax @p(%h) : !snn.signal<2, f64>
}

// -----

// Bundles of delayed synapses, with the least and with the most that can be said; of sources and targets of any shape.
// CHECK: snn.network @bundles dt 0.001 {
snn.network @bundles dt 0.001 {
  // CHECK-NEXT: [[X:%.+]] = snn.input @x : !snn.signal<1x2, spike>
  %x = snn.input @x : !snn.signal<1x2, spike>
  // CHECK-NEXT: [[Q:%.+]] = snn.input @q coded (step = 0.5) : !snn.signal<2, i4>
  %q = snn.input @q coded (step = 0.5) : !snn.signal<2, i4>
  // CHECK-NEXT: [[A:%.+]] = snn.bundle [[X]] weights #snn.tensor<"a", 1x1x2xf32, [0.5, 0.0]> stride 1 : !snn.signal<1x2, spike> -> !snn.signal<1, f64>
  %a = snn.bundle %x weights #snn.tensor<"a", 1x1x2xf32, [0.5, 0]> stride 1 : !snn.signal<1x2, spike> -> !snn.signal<1, f64>
  // CHECK-NEXT: [[B:%.+]] = snn.bundle [[X]] weights #snn.tensor<"b", 3x2x2xi8, [1, 0, 0, 2, 0, 0, 0, 0, -3, 4, 0, 127]> stride 4 bias #snn.tensor<"bias", 2xf32, [0.5, -0.5]> scale #snn.tensor<"s", 2xf64, [0.5, 0.25]> delay 7 {note = "kept"} : !snn.signal<1x2, spike> -> !snn.signal<2x1, f64>
  %b = snn.bundle %x weights #snn.tensor<"b", 3x2x2xi8, [1, 0, 0, 2, 0, 0, 0, 0, -3, 4, 0, 127]> stride 4 bias #snn.tensor<"bias", 2xf32, [0.5, -0.5]> scale #snn.tensor<"s", 2xf64, [0.5, 0.25]> delay 7 {note = "kept"} : !snn.signal<1x2, spike> -> !snn.signal<2x1, f64>
  // CHECK-NEXT: [[C:%.+]] = snn.bundle [[Q]] weights #snn.tensor<"c", 2x1x2xi16, [-300, 0, 0, 300]> stride 2147483646 scale 0.125 delay 1 : !snn.signal<2, i4> -> !snn.signal<1, f64>
  %c = snn.bundle %q weights #snn.tensor<"c", 2x1x2xi16, [-300, 0, 0, 300]> stride 2147483646 scale 0.125 delay 1 : !snn.signal<2, i4> -> !snn.signal<1, f64>
  // A level without a synapse may stand anywhere; the first one that has some opens a cycle.
  // CHECK-NEXT: [[D:%.+]] = snn.bundle [[P:%.+]] weights #snn.tensor<"d", 3x1x1xf64, [0.0, -1.0, 0.0]> stride 2 : !snn.signal<1, spike> -> !snn.signal<1, f64>
  %d = snn.bundle %p weights #snn.tensor<"d", 3x1x1xf64, [0, -1, 0]> stride 2 : !snn.signal<1, spike> -> !snn.signal<1, f64>
  // CHECK-NEXT: [[P]] = snn.if @p([[A]], [[D]]) with
  %p = snn.if @p(%a, %d) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<1, spike>
  // CHECK-NEXT: }
}
