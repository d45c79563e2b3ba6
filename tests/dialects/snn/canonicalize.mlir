// RUN: snn-opt %s --pass-pipeline=canonicalize --split-input-file | filecheck %s
// RUN: snn-opt %s --pass-pipeline="canonicalize, canonicalize" --split-input-file | filecheck %s
// RUN: snn-opt %s --pass-pipeline=canonicalize --split-input-file --print-debuginfo | filecheck %s --check-prefix=LOC

// Delays move into the projections behind them; attributes and locations of the projection stay.
// CHECK: snn.network @delays
snn.network @delays dt 0.001 {
  // CHECK-NEXT: [[X:%.+]] = snn.input @x
  %x = snn.input @x : !snn.signal<2, spike>
  %none = snn.delay %x by 0 : !snn.signal<2, spike>
  %one = snn.delay %none by 1 : !snn.signal<2, spike>
  %three = snn.delay %one by 2 : !snn.signal<2, spike>
  // CHECK-NEXT: [[A:%.+]] = snn.scale [[X]] by 1.0 delay 4 {note = "a"} : !snn.signal<2, spike> -> !snn.signal<2, f64>
  // LOC: snn.scale {{.*}} delay 4 {note = "a"} {{.*}} loc("net.snn":7:5)
  %a = snn.scale %three by 1.0 delay 1 {note = "a"} : !snn.signal<2, spike> -> !snn.signal<2, f64> loc("net.snn":7:5)
  // CHECK-NEXT: [[B:%.+]] = snn.dense [[X]] weights #snn.tensor<"w", 2x2xi8, [1, 2, 3, 4]> bias #snn.tensor<"b", 2xf32, [0.5, 1.0]> scale 0.5 delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %b = snn.dense %one weights #snn.tensor<"w", 2x2xi8, [1, 2, 3, 4]> bias #snn.tensor<"b", 2xf32, [0.5, 1.0]> scale 0.5 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  // CHECK-NEXT: snn.if @p([[A]], [[B]])
  %p = snn.if @p(%a, %b) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  // CHECK-NEXT: }
}

// -----

// A delay that a slice reads cannot move, but two delays are one.
// CHECK: snn.network @merged
snn.network @merged dt 0.001 {
  // CHECK-NEXT: [[X:%.+]] = snn.input @x
  %x = snn.input @x : !snn.signal<2, spike>
  // CHECK-NEXT: [[D:%.+]] = snn.delay [[X]] by 3 {note = "b"} : !snn.signal<2, spike>
  // LOC: snn.delay {{.*}} by 3 {note = "b"} : !snn.signal<2, spike> loc("net.snn":8:5)
  %one = snn.delay %x by 1 {note = "a"} : !snn.signal<2, spike>
  %three = snn.delay %one by 2 {note = "b"} : !snn.signal<2, spike> loc("net.snn":8:5)
  // CHECK-NEXT: [[S:%.+]] = snn.slice [[D]] [1] : !snn.signal<2, spike> -> !snn.signal<1, spike>
  %s = snn.slice %three [1] : !snn.signal<2, spike> -> !snn.signal<1, spike>
  // CHECK-NEXT: [[C:%.+]] = snn.scale [[S]] by 1.0
  %c = snn.scale %s by 1.0 : !snn.signal<1, spike> -> !snn.signal<1, f64>
  // CHECK-NEXT: snn.if @p([[C]])
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<1, spike>
  // CHECK-NEXT: }
}

// -----

// A slice of all neurons is none, a slice of a slice is one; order and shape count.
// CHECK: snn.network @slices
snn.network @slices dt 0.001 {
  // CHECK-NEXT: [[X:%.+]] = snn.input @x
  %x = snn.input @x : !snn.signal<4, spike>
  // CHECK-NEXT: [[Y:%.+]] = snn.input @y
  %y = snn.input @y : !snn.signal<2x2, spike>
  %all = snn.slice %x [0:4] : !snn.signal<4, spike> -> !snn.signal<4, spike>
  %odd = snn.slice %all [3, 1, 0] : !snn.signal<4, spike> -> !snn.signal<3, spike>
  // CHECK-NEXT: [[PART:%.+]] = snn.slice [[X]] [0, 3] {note = "a"} : !snn.signal<4, spike> -> !snn.signal<2, spike>
  // LOC: snn.slice {{.*}} [0, 3] {{.*}} loc("net.snn":9:5)
  %part = snn.slice %odd [2, 0] {note = "a"} : !snn.signal<3, spike> -> !snn.signal<2, spike> loc("net.snn":9:5)
  // CHECK-NEXT: [[SWAP:%.+]] = snn.slice [[X]] [3, 2, 0:2] : !snn.signal<4, spike> -> !snn.signal<4, spike>
  %swap = snn.slice %x [3, 2, 0, 1] : !snn.signal<4, spike> -> !snn.signal<4, spike>
  // CHECK-NEXT: [[FLAT:%.+]] = snn.slice [[Y]] [0:4] : !snn.signal<2x2, spike> -> !snn.signal<4, spike>
  %flat = snn.slice %y [0:4] : !snn.signal<2x2, spike> -> !snn.signal<4, spike>
  // CHECK-NEXT: [[A:%.+]] = snn.dense [[PART]] weights
  %a = snn.dense %part weights #snn.tensor<"w", 4x2xf32, [1, 2, 3, 4, 5, 6, 7, 8]> : !snn.signal<2, spike> -> !snn.signal<4, f64>
  // CHECK-NEXT: [[B:%.+]] = snn.scale [[SWAP]] by 1.0
  %b = snn.scale %swap by 1.0 : !snn.signal<4, spike> -> !snn.signal<4, f64>
  // CHECK-NEXT: [[C:%.+]] = snn.scale [[FLAT]] by 1.0
  %c = snn.scale %flat by 1.0 : !snn.signal<4, spike> -> !snn.signal<4, f64>
  // CHECK-NEXT: [[D:%.+]] = snn.scale [[X]] by 2.0
  %d = snn.scale %all by 2.0 : !snn.signal<4, spike> -> !snn.signal<4, f64>
  // CHECK-NEXT: snn.if @p([[A]], [[B]], [[C]], [[D]])
  %p = snn.if @p(%a, %b, %c, %d) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<4, spike>
  // CHECK-NEXT: }
}

// -----

// Populations sum their inputs themselves, in the order of the sums.
// CHECK: snn.network @sums
snn.network @sums dt 0.001 {
  // CHECK-NEXT: [[X:%.+]] = snn.input @x
  %x = snn.input @x : !snn.signal<2, spike>
  // CHECK-NEXT: [[A:%.+]] = snn.scale [[X]] by 1.0
  %a = snn.scale %x by 1.0 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  // CHECK-NEXT: [[B:%.+]] = snn.scale [[X]] by 2.0
  %b = snn.scale %x by 2.0 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  // CHECK-NEXT: [[C:%.+]] = snn.scale [[X]] by 3.0
  %c = snn.scale %x by 3.0 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %ab = snn.add %a, %b : !snn.signal<2, f64>
  %abc = snn.add %ab, %c : !snn.signal<2, f64>
  %only = snn.add %abc : !snn.signal<2, f64>
  // CHECK-NEXT: snn.if @p([[C]], [[A]], [[B]], [[C]]) with {{.*}} using <nir> {note = "a"} : !snn.signal<2, spike>
  // LOC: snn.if @p({{.*}} {note = "a"} {{.*}} loc("net.snn":10:5)
  %p = snn.if @p(%c, %only) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> {note = "a"} : !snn.signal<2, spike> loc("net.snn":10:5)
  // CHECK-NEXT: }
}

// -----

// Sums that others read too are flattened where they stand.
// CHECK: snn.network @shared
snn.network @shared dt 0.001 {
  // CHECK-NEXT: [[X:%.+]] = snn.input @x
  %x = snn.input @x : !snn.signal<2, spike>
  // CHECK-NEXT: [[A:%.+]] = snn.scale [[X]] by 1.0
  %a = snn.scale %x by 1.0 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %aa = snn.add %a, %a : !snn.signal<2, f64>
  // CHECK-NEXT: [[SUM:%.+]] = snn.add [[A]], [[A]], [[A]] : !snn.signal<2, f64>
  %aaa = snn.add %aa, %a : !snn.signal<2, f64>
  // CHECK-NEXT: "test.op"([[SUM]])
  "test.op"(%aaa) : (!snn.signal<2, f64>) -> ()
  // CHECK-NEXT: snn.if @p([[A]], [[A]])
  %p = snn.if @p(%aa) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  // CHECK-NEXT: }
}

// -----

// What nothing reads goes, but inputs and populations stay: they are named, and somebody may record them. A recurrent
// population that nothing else reads stays, with its connection to itself.
// CHECK: snn.network @dead
snn.network @dead dt 0.001 {
  // CHECK-NEXT: [[X:%.+]] = snn.input @x
  %x = snn.input @x : !snn.signal<2, spike>
  %a = snn.scale %x by 1.0 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %b = snn.add %a, %a : !snn.signal<2, f64>
  // CHECK-NEXT: [[R:%.+]] = snn.scale [[P:%.+]] by 1.0 delay 2
  %late = snn.delay %p by 1 : !snn.signal<2, spike>
  %r = snn.scale %late by 1.0 delay 1 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  // CHECK-NEXT: [[P]] = snn.if @p([[R]])
  %p = snn.if @p(%r) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  // CHECK-NEXT: }
}

// -----

// A delay behind a projection moves into it, whoever reads the result: a population, a sum, an output, a projection of
// the current. So do those of sparse connections and convolutions.
// CHECK: snn.network @behind
snn.network @behind dt 0.001 {
  // CHECK-NEXT: [[X:%.+]] = snn.input @x
  %x = snn.input @x : !snn.signal<1x2, spike>
  // CHECK-NEXT: [[F:%.+]] = snn.flatten [[X]]
  %f = snn.flatten %x : !snn.signal<1x2, spike> -> !snn.signal<2, spike>
  %a = snn.scale %f by 1.0 delay 1 {note = "a"} : !snn.signal<2, spike> -> !snn.signal<2, f64> loc("net.snn":7:5)
  // CHECK-NEXT: [[A:%.+]] = snn.scale [[F]] by 1.0 delay 6 {note = "a"} : !snn.signal<2, spike> -> !snn.signal<2, f64>
  // LOC: snn.scale {{.*}} delay 6 {note = "a"} {{.*}} loc("net.snn":7:5)
  %a2 = snn.delay %a by 2 : !snn.signal<2, f64>
  %a5 = snn.delay %a2 by 3 : !snn.signal<2, f64>
  %s = snn.sparse %f weights #snn.tensor<"w", 1xf32, [1.0]> from #snn.tensor<"from", 1xi64, [0]> to #snn.tensor<"to", 1xi64, [1]> delays #snn.tensor<"d", 1xi64, [4]> : !snn.signal<2, spike> -> !snn.signal<2, f64>
  // CHECK-NEXT: [[S:%.+]] = snn.sparse [[F]] weights {{.*}} delays #snn.tensor<"d", 1xi64, [4]> delay 2 : !snn.signal<2, spike>
  %s2 = snn.delay %s by 2 : !snn.signal<2, f64>
  %c = snn.conv1d %x weights #snn.tensor<"k", 1x1x1xf32, [2.0]> : !snn.signal<1x2, spike> -> !snn.signal<1x2, f64>
  // CHECK-NEXT: [[C:%.+]] = snn.conv1d [[X]] weights {{.*}} delay 1 : !snn.signal<1x2, spike>
  %c1 = snn.delay %c by 1 : !snn.signal<1x2, f64>
  // CHECK-NEXT: snn.output @conv [[C]]
  snn.output @conv %c1 : !snn.signal<1x2, f64>
  // CHECK-NEXT: snn.if @p([[A]], [[S]])
  %p = snn.if @p(%a5, %s2) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  // CHECK-NEXT: }
}

// -----

// It stays where the projection has a bias, which it would make early; where somebody reads the projection undelayed;
// where neurons differ in delay; where the sum is no number of steps any more.
// CHECK: snn.network @stays
snn.network @stays dt 0.001 {
  // CHECK-NEXT: [[X:%.+]] = snn.input @x
  %x = snn.input @x : !snn.signal<2, spike>
  // CHECK-NEXT: [[A:%.+]] = snn.scale [[X]] by 1.0 bias #snn.tensor<"b", 2xf32, [0.5, 0.0]> : !snn.signal<2, spike>
  %a = snn.scale %x by 1.0 bias #snn.tensor<"b", 2xf32, [0.5, 0.0]> : !snn.signal<2, spike> -> !snn.signal<2, f64>
  // CHECK-NEXT: [[B:%.+]] = snn.delay [[A]] by 2
  %b = snn.delay %a by 2 : !snn.signal<2, f64>
  // CHECK-NEXT: [[C:%.+]] = snn.scale [[X]] by 2.0 : !snn.signal<2, spike>
  %c = snn.scale %x by 2.0 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  // CHECK-NEXT: [[D:%.+]] = snn.delay [[C]] by 1
  %d = snn.delay %c by 1 : !snn.signal<2, f64>
  // CHECK-NEXT: [[E:%.+]] = snn.scale [[X]] by 3.0 : !snn.signal<2, spike>
  %e = snn.scale %x by 3.0 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  // CHECK-NEXT: [[F:%.+]] = snn.delay [[E]] by #snn.tensor<"d", 2xi64, [0, 1]>
  %f = snn.delay %e by #snn.tensor<"d", 2xi64, [0, 1]> : !snn.signal<2, f64>
  // CHECK-NEXT: [[G:%.+]] = snn.delay [[F]] by 1
  %g = snn.delay %f by 1 : !snn.signal<2, f64>
  // CHECK-NEXT: [[H:%.+]] = snn.delay [[X]] by #snn.tensor<"d", 2xi64, [0, 1]>
  %h = snn.delay %x by #snn.tensor<"d", 2xi64, [0, 1]> : !snn.signal<2, spike>
  // CHECK-NEXT: [[I:%.+]] = snn.scale [[H]] by 4.0 : !snn.signal<2, spike>
  %i = snn.scale %h by 4.0 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  // CHECK-NEXT: [[J:%.+]] = snn.scale [[X]] by 5.0 delay 2147483647 : !snn.signal<2, spike>
  %j = snn.scale %x by 5.0 delay 2147483647 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  // CHECK-NEXT: [[K:%.+]] = snn.delay [[J]] by 1
  %k = snn.delay %j by 1 : !snn.signal<2, f64>
  // CHECK-NEXT: [[L:%.+]] = snn.delay [[X]] by 2147483647
  %l = snn.delay %x by 2147483647 : !snn.signal<2, spike>
  // CHECK-NEXT: [[M:%.+]] = snn.delay [[L]] by 1
  %m = snn.delay %l by 1 : !snn.signal<2, spike>
  // CHECK-NEXT: [[N:%.+]] = snn.scale [[M]] by 6.0 delay 2147483647
  %n = snn.scale %m by 6.0 delay 2147483647 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  // CHECK-NEXT: snn.if @p([[B]], [[C]], [[D]], [[G]], [[I]], [[K]], [[N]])
  %p = snn.if @p(%b, %c, %d, %g, %i, %k, %n) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  // CHECK-NEXT: }
}

// -----

// Each synapse of a population sums its own inputs; sums of spikes stay, because a population adds currents only.
// CHECK: snn.network @synapses
snn.network @synapses dt 0.001 {
  // CHECK-NEXT: [[X:%.+]] = snn.input @x
  %x = snn.input @x : !snn.signal<2, spike>
  // CHECK-NEXT: [[A:%.+]] = snn.scale [[X]] by 1.0
  %a = snn.scale %x by 1.0 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  // CHECK-NEXT: [[B:%.+]] = snn.scale [[X]] by 2.0
  %b = snn.scale %x by 2.0 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  // CHECK-NEXT: [[C:%.+]] = snn.scale [[X]] by 3.0
  %c = snn.scale %x by 3.0 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %ab = snn.add %a, %b : !snn.signal<2, f64>
  %bc = snn.add %b, %c : !snn.signal<2, f64>
  %bca = snn.add %bc, %a : !snn.signal<2, f64>
  // CHECK-NEXT: [[S:%.+]] = snn.add [[X]] : (!snn.signal<2, spike>) -> !snn.signal<2, f64>
  %s = snn.add %x : (!snn.signal<2, spike>) -> !snn.signal<2, f64>
  // CHECK-NEXT: [[T:%.+]] = snn.add [[X]], [[A]], [[B]] : (!snn.signal<2, spike>, !snn.signal<2, f64>, !snn.signal<2, f64>) -> !snn.signal<2, f64>
  %t = snn.add %x, %ab : (!snn.signal<2, spike>, !snn.signal<2, f64>) -> !snn.signal<2, f64>
  // CHECK-NEXT: snn.dual_lif @p([[A]], [[B]], [[S]] | [[C]], [[B]], [[C]], [[A]], [[T]]) with {{.*}} using <nir> {note = "p"}
  // LOC: snn.dual_lif @p({{.*}} {note = "p"} {{.*}} loc("net.snn":8:5)
  %p = snn.dual_lif @p(%ab, %s | %c, %bca, %t) with (tau_exc = 0.002, tau_inh = 0.01, tau_mem = 0.02, r = 1.0, v_leak = 0.0, threshold = 1.0, v_reset = 0.0, w_exc = 1.0, w_inh = 1.0) using <nir> {note = "p"} : !snn.signal<2, spike> loc("net.snn":8:5)
  // CHECK-NEXT: snn.dual_lif @q(| [[A]], [[B]]) with
  %q = snn.dual_lif @q(| %ab) with (tau_exc = 0.002, tau_inh = 0.01, tau_mem = 0.02, r = 1.0, v_leak = 0.0, threshold = 1.0, v_reset = 0.0, w_exc = 1.0, w_inh = 1.0) using <nir> : !snn.signal<2, spike>
  // CHECK-NEXT: }
}

// -----

// Delays move into bundles as into other projections. Levels without a synapse go at both ends, and in between where
// the others are equally far apart; a bundle of one level is all-to-all, unless a synapse of it was pruned.
// CHECK: snn.network @bundles
snn.network @bundles dt 0.001 {
  // CHECK-NEXT: [[X:%.+]] = snn.input @x
  %x = snn.input @x : !snn.signal<2, spike>
  %late = snn.delay %x by 1 : !snn.signal<2, spike>
  // CHECK-NEXT: [[A:%.+]] = snn.bundle [[X]] weights #snn.tensor<"a", 2x1x2xf32, [1.0, 0.0, 0.0, 2.0]> stride 3 delay 7 {note = "a"} : !snn.signal<2, spike>
  // LOC: snn.bundle {{.*}} delay 7 {note = "a"} {{.*}} loc("net.snn":7:5)
  %a0 = snn.bundle %late weights #snn.tensor<"a", 2x1x2xf32, [1, 0, 0, 2]> stride 3 delay 2 {note = "a"} : !snn.signal<2, spike> -> !snn.signal<1, f64> loc("net.snn":7:5)
  %a = snn.delay %a0 by 4 : !snn.signal<1, f64>
  // CHECK-NEXT: [[B:%.+]] = snn.bundle [[X]] weights #snn.tensor<"b", 4x1x2xf32, [1.0, 0.0, 3.0, 0.0, 0.0, 0.0, 0.0, 2.0]> stride 4 bias #snn.tensor<"bias", 1xf32, [0.5]> delay 5 {note = "b"} : !snn.signal<2, spike>
  // LOC: snn.bundle {{.*}} delay 5 {note = "b"} {{.*}} loc("net.snn":8:5)
  %b = snn.bundle %x weights #snn.tensor<"b", 6x1x2xf32, [0, 0, 1, 0, 3, 0, 0, 0, 0, 2, 0, 0]> stride 4 bias #snn.tensor<"bias", 1xf32, [0.5]> delay 1 {note = "b"} : !snn.signal<2, spike> -> !snn.signal<1, f64> loc("net.snn":8:5)
  // CHECK-NEXT: [[ONE:%.+]] = snn.slice [[X]] [1]
  // CHECK-NEXT: [[C:%.+]] = snn.bundle [[ONE]] weights #snn.tensor<"c", 3x1x1xi8, [1, 2, 3]> stride 6 scale 0.5 : !snn.signal<1, spike>
  %c0 = snn.slice %x [1] : !snn.signal<2, spike> -> !snn.signal<1, spike>
  %c = snn.bundle %c0 weights #snn.tensor<"c", 7x1x1xi8, [1, 0, 0, 2, 0, 0, 3]> stride 2 scale 0.5 : !snn.signal<1, spike> -> !snn.signal<1, f64>
  // CHECK-NEXT: [[D:%.+]] = snn.dense [[X]] weights #snn.tensor<"d", 1x2xi8, [3, 4]> bias #snn.tensor<"bias", 1xf32, [0.5]> scale #snn.tensor<"s", 1xf64, [0.5]> delay 9 {note = "d"} : !snn.signal<2, spike>
  // LOC: snn.dense {{.*}} delay 9 {note = "d"} {{.*}} loc("net.snn":9:5)
  %d = snn.bundle %x weights #snn.tensor<"d", 3x1x2xi8, [0, 0, 3, 4, 0, 0]> stride 8 bias #snn.tensor<"bias", 1xf32, [0.5]> scale #snn.tensor<"s", 1xf64, [0.5]> delay 1 {note = "d"} : !snn.signal<2, spike> -> !snn.signal<1, f64> loc("net.snn":9:5)
  // CHECK-NEXT: [[E:%.+]] = snn.bundle [[X]] weights #snn.tensor<"e", 1x1x2xf32, [0.0, 4.0]> stride 1 delay 9 : !snn.signal<2, spike>
  %e = snn.bundle %x weights #snn.tensor<"e", 2x1x2xf32, [0, 0, 0, 4]> stride 8 delay 1 : !snn.signal<2, spike> -> !snn.signal<1, f64>
  // CHECK-NEXT: [[F:%.+]] = snn.bundle [[X]] weights #snn.tensor<"f", 1x1x2xf32, [0.0, 0.0]> stride 1 delay 1 : !snn.signal<2, spike>
  %f = snn.bundle %x weights #snn.tensor<"f", 2x1x2xf32, [0, 0, 0, 0]> stride 8 delay 1 : !snn.signal<2, spike> -> !snn.signal<1, f64>
  // CHECK-NEXT: snn.if @p([[A]], [[B]], [[C]], [[D]], [[E]], [[F]])
  %p = snn.if @p(%a, %b, %c, %d, %e, %f) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<1, spike>
  // CHECK-NEXT: }
}

// -----

// A delay stays where the slowest synapse of a bundle would be later than can be said, and behind a bias.
// CHECK: snn.network @slow
snn.network @slow dt 0.001 {
  // CHECK-NEXT: [[X:%.+]] = snn.input @x
  %x = snn.input @x : !snn.signal<2, spike>
  // CHECK-NEXT: [[LATE:%.+]] = snn.delay [[X]] by 1 : !snn.signal<2, spike>
  %late = snn.delay %x by 1 : !snn.signal<2, spike>
  // CHECK-NEXT: [[A:%.+]] = snn.bundle [[LATE]] weights #snn.tensor<"a", 2x1x2xf32, [1.0, 0.0, 0.0, 2.0]> stride 2147483647 : !snn.signal<2, spike>
  %a = snn.bundle %late weights #snn.tensor<"a", 2x1x2xf32, [1, 0, 0, 2]> stride 2147483647 : !snn.signal<2, spike> -> !snn.signal<1, f64>
  // CHECK-NEXT: [[B:%.+]] = snn.delay [[A]] by 2
  %b = snn.delay %a by 2 : !snn.signal<1, f64>
  // CHECK-NEXT: [[C:%.+]] = snn.bundle [[X]] weights #snn.tensor<"c", 2x1x2xf32, [1.0, 0.0, 0.0, 2.0]> stride 1 bias #snn.tensor<"bias", 1xf32, [0.5]> : !snn.signal<2, spike>
  %c = snn.bundle %x weights #snn.tensor<"c", 2x1x2xf32, [1, 0, 0, 2]> stride 1 bias #snn.tensor<"bias", 1xf32, [0.5]> : !snn.signal<2, spike> -> !snn.signal<1, f64>
  // CHECK-NEXT: [[D:%.+]] = snn.delay [[C]] by 3
  %d = snn.delay %c by 3 : !snn.signal<1, f64>
  // CHECK-NEXT: snn.if @p([[B]], [[D]])
  %p = snn.if @p(%b, %d) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<1, spike>
  // CHECK-NEXT: }
}
