// RUN: snn-opt %s --print-debuginfo | snn-opt --print-debuginfo | filecheck %s
// RUN: snn-opt %s --print-debuginfo --print-op-generic | snn-opt --print-debuginfo | filecheck %s
// RUN: snn-opt %s | filecheck %s --check-prefix=PLAIN

// Locations of the user's files stay, on every level's ops.
// PLAIN-NOT: loc(

// CHECK: snn.network @n dt 0.001 {
snn.network @n dt 0.001 {
  // CHECK-NEXT: [[X:%.+]] = snn.input @x : !snn.signal<2, spike> loc("net.snn":3:5)
  %x = snn.input @x : !snn.signal<2, spike> loc("net.snn":3:5)
  // CHECK-NEXT: snn.scale [[X]] by 1.0 : !snn.signal<2, spike> -> !snn.signal<2, f64> loc("model.nir:/nodes/edge")
  %c = snn.scale %x by 1.0 : !snn.signal<2, spike> -> !snn.signal<2, f64> loc("model.nir:/nodes/edge")
  // CHECK-NEXT: snn.if @p({{.*}} : !snn.signal<2, spike> loc("model.nir:/nodes/lif1")
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike> loc("model.nir:/nodes/lif1")
  // CHECK-NEXT: snn.output @y {{.*}} : !snn.signal<2, spike> loc("net.snn":4:5)
  snn.output @y %p : !snn.signal<2, spike> loc("net.snn":4:5)
  // CHECK-NEXT: } loc("net.snn":2:1)
} loc("net.snn":2:1)
// CHECK-NEXT: cluster.program of @n {
cluster.program of @n {
  // CHECK-NEXT: cluster.input @x : !snn.signal<2, spike> loc("net.snn":3:5)
  %x = cluster.input @x : !snn.signal<2, spike> loc("net.snn":3:5)
  // CHECK-NEXT: cluster.cluster @c0 {{.*}} : (!snn.signal<2, spike>) -> !snn.signal<2, spike> loc("model.nir:/nodes/lif1")
  %p = cluster.cluster @c0 axons(%x[0:2]) slices(neurons @p[0:2] rows [0:2] column 0) : (!snn.signal<2, spike>) -> !snn.signal<2, spike> loc("model.nir:/nodes/lif1")
  // CHECK-NEXT: cluster.output @y({{.*}}) : !snn.signal<2, spike> loc("net.snn":4:5)
  cluster.output @y(%p) : !snn.signal<2, spike> loc("net.snn":4:5)
  // CHECK-NEXT: } loc("net.snn":2:1)
} loc("net.snn":2:1)
// CHECK-NEXT: dataflow.graph of @n unit "ns" activity "worst" {
dataflow.graph of @n unit "ns" activity "worst" {
  // CHECK-NEXT: dataflow.actor input @x time 0 mean 0 makes(1) : () -> !dataflow.token<2> loc("net.snn":3:5)
  %x = dataflow.actor input @x time 0 mean 0 makes(1) : () -> !dataflow.token<2> loc("net.snn":3:5)
  // CHECK-NEXT: dataflow.order @c0 [] loc("net.snn":5:5)
  dataflow.order @c0 [] loc("net.snn":5:5)
  // CHECK-NEXT: } loc("net.snn":2:1)
} loc("net.snn":2:1)
// CHECK-NEXT: crossbar.machine @m dt 0.001 {
crossbar.machine @m dt 0.001 {
  // CHECK-NEXT: crossbar.input @x size 2 loc("net.snn":3:5)
  crossbar.input @x size 2 loc("net.snn":3:5)
  // CHECK-NEXT: crossbar.population @p size 2 loc("model.nir:/nodes/lif1")
  crossbar.population @p size 2 loc("model.nir:/nodes/lif1")
  // CHECK-NEXT: crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
  crossbar.crossbar @c0 at [0, 0] crossbar 0 cells #snn.tensor<"c0.cells", 2x2xi8, [1, 0, 0, 1]> {
    // CHECK-NEXT: crossbar.axons @x[0:2] loc("net.snn":6:5)
    crossbar.axons @x[0:2] loc("net.snn":6:5)
    // CHECK-NEXT: crossbar.slice @c0.p {{.*}} using <nir> loc("model.nir:/nodes/lif1")
    crossbar.slice @c0.p neurons @p[0:2] rows [0:2] column 0 if(scale = 1.0, bias = 0.0, decay = 1.0, gain = 1.0, drift = 0.0, threshold = 0.5, v_reset = 0.0) using <nir> loc("model.nir:/nodes/lif1")
    // CHECK-NEXT: crossbar.order [@c0.p] loc("net.snn":7:5)
    crossbar.order [@c0.p] loc("net.snn":7:5)
    // CHECK-NEXT: } loc("net.snn":8:5)
  } loc("net.snn":8:5)
  // CHECK-NEXT: crossbar.channel @x to @c0.p delay 0 capacity 2 loc("net.snn":9:5)
  crossbar.channel @x to @c0.p delay 0 capacity 2 loc("net.snn":9:5)
  // CHECK-NEXT: crossbar.flow @x to tile [0, 0] loc("net.snn":10:5)
  crossbar.flow @x to tile [0, 0] loc("net.snn":10:5)
  // CHECK-NEXT: } loc("net.snn":2:1)
} loc("net.snn":2:1)
// CHECK: snn.network @more dt 0.001 {
snn.network @more dt 0.001 {
  // CHECK-NEXT: snn.input @z {{.*}} loc("net.snn":15:5)
  %x = snn.input @z : !snn.signal<2, spike> loc("net.snn":15:5)
  // CHECK-NEXT: snn.flatten {{.*}} loc("net.snn":11:5)
  %f = snn.flatten %x : !snn.signal<2, spike> -> !snn.signal<2, spike> loc("net.snn":11:5)
  // CHECK-NEXT: snn.slice {{.*}} loc("net.snn":12:5)
  %s = snn.slice %x [0:2] : !snn.signal<2, spike> -> !snn.signal<2, spike> loc("net.snn":12:5)
  // CHECK-NEXT: snn.add {{.*}} loc("net.snn":13:5)
  %a = snn.add %f, %s : (!snn.signal<2, spike>, !snn.signal<2, spike>) -> !snn.signal<2, f64> loc("net.snn":13:5)
  // CHECK-NEXT: snn.delay {{.*}} loc("net.snn":14:5)
  %d = snn.delay %a by 1 : !snn.signal<2, f64> loc("net.snn":14:5)
  // CHECK-NEXT: snn.sparse {{.*}} loc("circuit_config.json:/networks/edges/0")
  %e = snn.sparse %d weights #snn.tensor<"w", 1xf32, [1]> from #snn.tensor<"f", 1xi64, [0]> to #snn.tensor<"t", 1xi64, [1]> : !snn.signal<2, f64> -> !snn.signal<1x2, f64> loc("circuit_config.json:/networks/edges/0")
  // CHECK-NEXT: snn.conv1d {{.*}} loc("model.nir:/nodes/conv")
  %g = snn.conv1d %e weights #snn.tensor<"k", 1x1x1xf32, [1]> : !snn.signal<1x2, f64> -> !snn.signal<1x2, f64> loc("model.nir:/nodes/conv")
  // CHECK-NEXT: snn.avg_pool {{.*}} loc("model.nir:/nodes/pool")
  %h = snn.avg_pool %g kernel [2] : !snn.signal<1x2, f64> -> !snn.signal<1x1, f64> loc("model.nir:/nodes/pool")
  // CHECK-NEXT: snn.li @v({{.*}} loc("model.nir:/nodes/li")
  %v = snn.li @v(%h) with (tau = 0.005, r = 1.0, v_leak = 0.0) using <nir> : !snn.signal<1x1, f64> loc("model.nir:/nodes/li")
  // CHECK-NEXT: } loc("net.snn":16:1)
} loc("net.snn":16:1)
