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
  // Convolutions that differ in padding are two, equal pools and sparse connections one.
  // CHECK: [[I:%.+]] = snn.input @image
  %i = snn.input @image : !snn.signal<1x2, spike>
  // CHECK-NEXT: [[LEFT:%.+]] = snn.conv1d [[I]] weights {{.*}} padding [1] to [0]
  %left = snn.conv1d %i weights #snn.tensor<"k", 1x1x2xf32, [1, 2]> padding [1] to [0] : !snn.signal<1x2, spike> -> !snn.signal<1x2, f64>
  // CHECK-NEXT: [[RIGHT:%.+]] = snn.conv1d [[I]] weights {{.*}} padding [0] to [1]
  %right = snn.conv1d %i weights #snn.tensor<"k", 1x1x2xf32, [1, 2]> padding [0] to [1] : !snn.signal<1x2, spike> -> !snn.signal<1x2, f64>
  // CHECK-NEXT: [[POOL:%.+]] = snn.max_pool [[I]] kernel [2]
  %m = snn.max_pool %i kernel [2] : !snn.signal<1x2, spike> -> !snn.signal<1x1, spike>
  %n = snn.max_pool %i kernel [2] stride [2] : !snn.signal<1x2, spike> -> !snn.signal<1x1, spike>
  // CHECK-NEXT: [[SYNAPSE:%.+]] = snn.sparse [[POOL]] weights
  // CHECK-NOT: snn.sparse
  %u = snn.sparse %m weights #snn.tensor<"w", 1xf32, [1]> from #snn.tensor<"f", 1xi64, [0]> to #snn.tensor<"t", 1xi64, [1]> : !snn.signal<1x1, spike> -> !snn.signal<1x2, f64>
  %v = snn.sparse %n weights #snn.tensor<"w", 1xf32, [1]> from #snn.tensor<"f", 1xi64, [0]> to #snn.tensor<"t", 1xi64, [1]> : !snn.signal<1x1, spike> -> !snn.signal<1x2, f64>
  // CHECK-NEXT: snn.li @membrane([[LEFT]], [[RIGHT]], [[SYNAPSE]], [[SYNAPSE]])
  %w = snn.li @membrane(%left, %right, %u, %v) with (tau = 0.005, r = 1.0, v_leak = 0.0) using <nir> : !snn.signal<1x2, f64>
}
