// RUN: snn-opt %s -p cluster-route --statistics 2>&1 | filecheck %s
// RUN: snn-opt %s -p cluster-route,cluster-route | filecheck %s --check-prefix=AGAIN

// First along x, then along y; one route per destination tile, none to the own tile, the host last. The host is at
// [0, 1]: inputs start and outputs end at its router.
// CHECK: %x = cluster.input @x routes(0 to tile [0, 1], [1, 1], [1, 0])
// AGAIN: %x = cluster.input @x routes(0 to tile [0, 1], [1, 1], [1, 0]) :
// CHECK: @c0 {{.*}} at [1, 0] crossbar 0 routes(0 to tile [1, 0], [0, 0] and 0 to tile [1, 0], [0, 0], [0, 1] and 0 to host [1, 0], [0, 0], [0, 1])
// CHECK: @c1 {{.*}} at [1, 0] crossbar 1 :
// CHECK: @c2 {{.*}} at [0, 0] crossbar 0 :
// CHECK: @c3 {{.*}} at [0, 1] crossbar 0 :
// CHECK: 7 hops
// CHECK: 4 routes
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
