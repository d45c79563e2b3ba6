// RUN: snn-opt %s --pass-pipeline=cse | filecheck %s
// RUN: snn-opt %s --pass-pipeline="canonicalize, cse, dce" | filecheck %s

// Equal projections are one, but two populations with equal inputs and parameters are two: each has a state and a name.
// CHECK: snn.network @twins
snn.network @twins dt 0.001 {
  // CHECK-NEXT: [[X:%.+]] = snn.input @x
  %x = snn.input @x : !snn.signal<2, spike>
  // CHECK-NEXT: [[C:%.+]] = snn.scale [[X]] by 1.0
  // CHECK-NOT: snn.scale
  %c = snn.scale %x by 1.0 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  %d = snn.scale %x by 1.0 : !snn.signal<2, spike> -> !snn.signal<2, f64>
  // CHECK-NEXT: [[P:%.+]] = snn.if @p([[C]])
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  // CHECK-NEXT: [[Q:%.+]] = snn.if @q([[C]])
  %q = snn.if @q(%d) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  // CHECK-NEXT: snn.if @silent()
  %s = snn.if @silent() with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
  // CHECK-NEXT: snn.output @y [[P]]
  snn.output @y %p : !snn.signal<2, spike>
  // CHECK-NEXT: snn.output @z [[Q]]
  snn.output @z %q : !snn.signal<2, spike>
}
