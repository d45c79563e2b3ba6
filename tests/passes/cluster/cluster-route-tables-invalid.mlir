// RUN: snn-opt %s -p cluster-route --split-input-file --verify-diagnostics | filecheck %s

// CHECK: router [1, 0] needs 3 table entries, a router of 'small' has 2
// CHECK: use cluster-route{algorithm=tree}, with 2 entries at most, or larger tables
builtin.module attributes {platform.machine = #platform.machine<"small", tiles(mesh = [2, 2], crossbars = 2, host = [0, 1], table_entries = 2), crossbar(rows = 4, columns = 2), buffers(events = 9), time(unit = "ns", read = 10)>} {
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

// CHECK: router [1, 0] needs 3 table entries, a router of 'tiny' has 1
// CHECK: use a machine with larger tables, or one with fewer crossbars per tile
builtin.module attributes {platform.machine = #platform.machine<"tiny", tiles(mesh = [2, 2], crossbars = 2, host = [0, 1], table_entries = 1), crossbar(rows = 4, columns = 2), buffers(events = 9), time(unit = "ns", read = 10)>} {
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
