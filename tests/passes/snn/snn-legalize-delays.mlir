// RUN: snn-opt %s -p "snn-legalize-delays{longest=3 emulate=false}" --statistics 2>&1 | filecheck %s
// RUN: snn-opt %s -p "snn-legalize-delays{longest=3}" --statistics 2>&1 | filecheck %s --check-prefix=OWN
// RUN: snn-opt %s -p "snn-legalize-delays{longest=7}" | filecheck %s --check-prefix=NOTHING
// RUN: not snn-opt %s -p "snn-legalize-delays{longest=3 mode=refuse}" 2>&1 | filecheck %s --check-prefix=REFUSE
// RUN: not snn-opt %s -p "snn-legalize-delays" 2>&1 | filecheck %s --check-prefix=WHICH

// NOTHING-NOT: late
// REFUSE:      error: a delay of 5 steps; rows delay by 3 at most
// WHICH:       error: which delays are there?

// Rows delay by 3. Source 0 is read 5 steps late and has a relay, source 1 7 steps and has two; the bundle stays one for
// the levels that rows reach, and another for those behind relays. Nothing is read later than 3 steps.
// CHECK: %[[A:.*]] = snn.scale %x by 1.0 delay 3
// CHECK: %x_late1 = snn.if @x_late1(%[[A]]) with (r = 1.0, threshold = 0.5, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
// CHECK: %[[B:.*]] = snn.slice %x_late1 [1]
// CHECK: %[[C:.*]] = snn.scale %[[B]] by 1.0 delay 3
// CHECK: %x_late2 = snn.if @x_late2(%[[C]]) with {{.*}} : !snn.signal<1, spike>
// CHECK: snn.bundle %x weights #snn.tensor<"a", 2x1x2xf32, [0.5, -0.25, 0.125, 1.0]> stride 2 bias #snn.tensor<"bias", 1xf64, [0.125]> delay 1 :
// CHECK: snn.bundle %x_late1 weights #snn.tensor<"a.late1", 1x1x2xf32, [-0.75, 0.0]> stride 2 delay 2 :
// CHECK: snn.sparse %x weights #snn.tensor<"b", 3xf32, [1.0, 0.5, 0.25]>
// CHECK: snn.sparse %x_late2 weights #snn.tensor<"b.late2", 1xf32, [0.5]> from #snn.tensor<"b.late2.from", 1xi64, [0]> {{.*}} delay 1 :
// CHECK: 3 relay neurons
// CHECK: 2 relay populations

// With relays that are a step late themselves, one of each source reaches 7 steps: 3 + 1 + 3.
// OWN: snn.cuba_lif @x_late1({{.*}}) with (tau_syn = 0.001, tau_mem = 0.001, r = 1.0, v_leak = 0.0, threshold = 0.5, v_reset = 0.0, w_in = 1.0) using <nir, order = mem_first> : !snn.signal<2, spike>
// OWN: snn.bundle %x_late1 {{.*}} delay 1 :
// OWN: snn.sparse %x_late1 {{.*}} delay 3 :
// OWN: 2 relay neurons
// OWN: 1 relay populations
builtin.module {
  snn.network @toy dt 0.001 {
    %x = snn.input @x : !snn.signal<2, spike>
    %a = snn.bundle %x weights #snn.tensor<"a", 3x1x2xf32, [0.5, -0.25, 0.125, 1.0, -0.75, 0.0]> stride 2 bias #snn.tensor<"bias", 1xf64, [0.125]> delay 1 : !snn.signal<2, spike> -> !snn.signal<1, f64>
    %b = snn.sparse %x weights #snn.tensor<"b", 4xf32, [1.0, 0.5, 0.25, 0.5]> from #snn.tensor<"b.from", 4xi64, [0, 0, 1, 1]> to #snn.tensor<"b.to", 4xi64, [0, 0, 0, 0]> delays #snn.tensor<"b.delays", 4xi64, [0, 3, 1, 7]> : !snn.signal<2, spike> -> !snn.signal<1, f64>
    %h = snn.if @h(%a, %b) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<1, spike>
    snn.output @y %h : !snn.signal<1, spike>
  }
}
