// RUN: snn-opt %s -p 'cluster-route{algorithm=tree},convert-cluster-to-dataflow' --split-input-file | filecheck %s
// RUN: snn-opt %s -p cluster-route,convert-cluster-to-dataflow --split-input-file | filecheck %s --check-prefix=XY

// Tokens of one spike are two flits. The tree of h: inject at [1, 0]; to [0, 0], where it is ejected and goes on; to
// [0, 1], where it is ejected and goes to the host. No other flow is on these links: each takes 2 per flit.
// One actor sends for all ways, for 2 * 2; then there are 6 - 2 and one hop of 5 to [0, 0], 8 - 2 and two hops of 5 and
// 7 to the other two.
// CHECK: [[S:%.+]] = dataflow.actor send @c0.h.send.0_0 time 4 mean 4
// CHECK-NOT: send @c0.h.send
// CHECK: dataflow.actor carry @c0.h.carry.0_0 time 9 mean 9 concurrent reads([[S]][1])
// CHECK: dataflow.actor carry @c0.h.carry.0_1 time 18 mean 18 concurrent reads([[S]][1])
// CHECK: dataflow.actor carry @c0.h.carry.host time 18 mean 18 concurrent reads([[S]][1])

// As three flows they share inject and the first link, and two of them the second: 6, 6 and 4 per flit.
// XY: [[S1:%.+]] = dataflow.actor send @c0.h.send.0_0 time 12 mean 12
// XY: [[S2:%.+]] = dataflow.actor send @c0.h.send.0_1 time 12 mean 12
// XY: [[S3:%.+]] = dataflow.actor send @c0.h.send.host time 12 mean 12
// XY: dataflow.actor carry @c0.h.carry.0_0 time 13 mean 9 concurrent reads([[S1]][1])
// XY: dataflow.actor carry @c0.h.carry.0_1 time 24 mean 18 concurrent reads([[S2]][1])
// XY: dataflow.actor carry @c0.h.carry.host time 24 mean 18 concurrent reads([[S3]][1])
builtin.module attributes {platform.machine = #platform.machine<"square", tiles(mesh = [2, 2], crossbars = 2, host = [0, 1]), crossbar(rows = 4, columns = 2), buffers(events = 9), link(flit = 2, hop_x = 5, hop_y = 7), time(unit = "ns", read = 10)>} {
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

// -----

// Two chips of one column each: the link between them takes 10 per flit and 40 more. To [0, 0], one flit takes 2, 10 and
// 2, and two of them 20 on the slowest link; the input is a second chip away as well.
// CHECK: dataflow.actor send @x.send.1_0 time 20 mean 20
// CHECK: dataflow.actor send @c0.h.send.0_0 time 20 mean 20
// CHECK: dataflow.actor carry @x.carry.1_0 time 53 mean 53
// CHECK: dataflow.actor carry @c0.h.carry.0_0 time 44 mean 44
builtin.module attributes {platform.machine = #platform.machine<"square", tiles(mesh = [2, 2], crossbars = 2, host = [0, 1], chip = [1, 2]), crossbar(rows = 4, columns = 2), buffers(events = 9), link(flit = 2, hop_x = 5, hop_y = 7, chip_flit = 10, chip_hop = 40), time(unit = "ns", read = 10)>} {
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

// -----

// A tree: tile [1, 0] to tile [0, 0] by their parent, two links of 2 and 7.
// CHECK: dataflow.actor send @c0.h.send.0_0 time 4 mean 4
// CHECK: dataflow.actor carry @c0.h.carry.0_0 time 20 mean 20
// CHECK: dataflow.actor carry @c0.h.carry.2_0 time 38 mean 38
builtin.module attributes {platform.machine = #platform.machine<"square", tiles(mesh = [4, 1], crossbars = 2, host = [3, 0], topology = "tree", arity = 2), crossbar(rows = 4, columns = 2), buffers(events = 9), link(flit = 2, hop_y = 7), time(unit = "ns", read = 10)>} {
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
    %g3 = cluster.cluster @c3 axons(%h[0]) slices(neurons @g3[0] rows [0] column 0) at [2, 0] crossbar 0 : (!snn.signal<1, spike>) -> !snn.signal<1, spike>
    cluster.output @y(%h) : !snn.signal<1, spike>
  }
}
