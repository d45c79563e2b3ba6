// RUN: snn-opt %s -p cluster-route --statistics 2>&1 | filecheck %s
// RUN: snn-opt %s -p cluster-route,cluster-route | filecheck %s --check-prefix=AGAIN
// RUN: snn-opt %s -p 'cluster-route{algorithm=tree}' --statistics 2>&1 | filecheck %s --check-prefix=TREE
// RUN: snn-opt %s -p 'cluster-route,cluster-route{algorithm=tree}' | filecheck %s --check-prefix=OTHER

// One route per destination tile, none to the own tile, the host last. The host is at [0, 1]: inputs start and outputs
// end at its router. Ways: x to [1, 0] by [1, 1]; h to [0, 0]; to [0, 1] and to the host by [0, 0].
// CHECK: %x = cluster.input @x routes(0 to tile [1, 0])
// AGAIN: %x = cluster.input @x routes(0 to tile [1, 0]) :
// CHECK: @c0 {{.*}} at [1, 0] crossbar 0 routes(0 to tile [0, 0] and 0 to tile [0, 1] and 0 to host)
// CHECK: @c1 {{.*}} at [1, 0] crossbar 1 :
// CHECK: @c2 {{.*}} at [0, 0] crossbar 0 :
// CHECK: @c3 {{.*}} at [0, 1] crossbar 0 :
// CHECK: 7 hops
// CHECK: 7000 routed spike-hops per 1000 steps
// CHECK: 4 routes
// CHECK: 1750 spikes per 1000 steps on a link in use, on average
// CHECK: 3000 spikes per 1000 steps on the busiest link
// CHECK: 4 table entries
// CHECK: 3 table entries of the fullest router

// As a tree each of the four links is crossed once; h has an entry at each of the three routers that it passes.
// TREE: %x = cluster.input @x routes(0 to tile [1, 0])
// TREE: @c0 {{.*}} at [1, 0] crossbar 0 routes(0 to tile [0, 0], tile [0, 1], host) :
// OTHER: @c0 {{.*}} at [1, 0] crossbar 0 routes(0 to tile [0, 0], tile [0, 1], host) :
// TREE: 4 hops
// TREE: 4000 routed spike-hops per 1000 steps
// TREE: 2 routes
// TREE: 1000 spikes per 1000 steps on a link in use, on average
// TREE: 1000 spikes per 1000 steps on the busiest link
// TREE: 4 table entries
// TREE: 2 table entries of the fullest router
builtin.module attributes {platform.machine = #platform.machine<"square", tiles(mesh = [2, 2], crossbars = 2, host = [0, 1]), crossbar(rows = 4, columns = 2), buffers(events = 9), time(unit = "ns", read = 10)>} {
  snn.network @star dt 0.001 {
    %x = snn.input @x : !snn.signal<1, spike>
    %a = snn.scale %x by 1.0 : !snn.signal<1, spike> -> !snn.signal<1, f64>
    %h = snn.if @h(%a) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<1, spike>
    %b1 = snn.scale %h by 1.0 : !snn.signal<1, spike> -> !snn.signal<1, f64>
    %g1 = snn.if @g1(%b1) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<1, spike>
    %b2 = snn.scale %h by 1.0 : !snn.signal<1, spike> -> !snn.signal<1, f64>
    %g2 = snn.if @g2(%b2) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<1, spike>
    %b3 = snn.scale %h by 1.0 : !snn.signal<1, spike> -> !snn.signal<1, f64>
    %g3 = snn.if @g3(%b3) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<1, spike>
    snn.output @y %h : !snn.signal<1, spike>
  }
  cluster.program of @star {
    %x = cluster.input @x : !snn.signal<1, spike>
    %h = cluster.cluster @c0 axons(%x[0]) slices(neurons @h[0] rows [0] column 0) at [1, 0] crossbar 0 : (!snn.signal<1, spike>) -> !snn.signal<1, spike>
    %g1 = cluster.cluster @c1 axons(%h[0]) slices(neurons @g1[0] rows [0] column 0) at [1, 0] crossbar 1 : (!snn.signal<1, spike>) -> !snn.signal<1, spike>
    %g2 = cluster.cluster @c2 axons(%h[0]) slices(neurons @g2[0] rows [0] column 0) at [0, 0] crossbar 0 : (!snn.signal<1, spike>) -> !snn.signal<1, spike>
    %g3 = cluster.cluster @c3 axons(%h[0]) slices(neurons @g3[0] rows [0] column 0) at [0, 1] crossbar 0 : (!snn.signal<1, spike>) -> !snn.signal<1, spike>
    cluster.output @y(%h) : !snn.signal<1, spike>
  }
}
