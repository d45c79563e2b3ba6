// RUN: snn-opt %s -p 'cluster-place{algorithm=row-major}' --split-input-file | filecheck %s

// The input takes an entry on tile [0, 0], which leaves two. With a route to each reader, @c0 needs both.
// CHECK: @c0 {{.*}} at [0, 0] crossbar 0
// CHECK: @c1 {{.*}} at [1, 0] crossbar 0
// CHECK: @c2 {{.*}} at [1, 0] crossbar 1
builtin.module attributes {platform.machine = #platform.machine<"tables", tiles(mesh = [2, 1], crossbars = 2, table_entries = 3, routes = "unicast"), crossbar(rows = 4, columns = 2), buffers(events = 9), time(unit = "ns", read = 10)>} {
  snn.network @two dt 0.001 {
    %x = snn.input @x : !snn.signal<1, spike>
    %ia = snn.scale %x by 1.0 : !snn.signal<1, spike> -> !snn.signal<1, f64>
    %a = snn.if @a(%ia) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<1, spike>
    %ib = snn.scale %a by 1.0 : !snn.signal<1, spike> -> !snn.signal<1, f64>
    %b = snn.if @b(%ib) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<1, spike>
    %ic = snn.scale %a by 1.0 : !snn.signal<1, spike> -> !snn.signal<1, f64>
    %c = snn.if @c(%ic) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<1, spike>
    snn.output @y %b : !snn.signal<1, spike>
    snn.output @z %c : !snn.signal<1, spike>
  }
  cluster.program of @two {
    %x = cluster.input @x : !snn.signal<1, spike>
    %a = cluster.cluster @c0 axons(%x[0]) slices(neurons @a[0] rows [0] column 0) : (!snn.signal<1, spike>) -> !snn.signal<1, spike>
    %b = cluster.cluster @c1 axons(%a[0]) slices(neurons @b[0] rows [0] column 0) : (!snn.signal<1, spike>) -> !snn.signal<1, spike>
    %c = cluster.cluster @c2 axons(%a[0]) slices(neurons @c[0] rows [0] column 0) : (!snn.signal<1, spike>) -> !snn.signal<1, spike>
    cluster.output @y(%b) : !snn.signal<1, spike>
    cluster.output @z(%c) : !snn.signal<1, spike>
  }
}

// -----

// Routers that copy spikes need one entry for each result where it starts, whoever reads it.
// CHECK: @c0 {{.*}} at [0, 0] crossbar 0
// CHECK: @c1 {{.*}} at [0, 0] crossbar 1
// CHECK: @c2 {{.*}} at [1, 0] crossbar 0
builtin.module attributes {platform.machine = #platform.machine<"tables", tiles(mesh = [2, 1], crossbars = 2, table_entries = 3, routes = "multicast"), crossbar(rows = 4, columns = 2), buffers(events = 9), time(unit = "ns", read = 10)>} {
  snn.network @two dt 0.001 {
    %x = snn.input @x : !snn.signal<1, spike>
    %ia = snn.scale %x by 1.0 : !snn.signal<1, spike> -> !snn.signal<1, f64>
    %a = snn.if @a(%ia) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<1, spike>
    %ib = snn.scale %a by 1.0 : !snn.signal<1, spike> -> !snn.signal<1, f64>
    %b = snn.if @b(%ib) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<1, spike>
    %ic = snn.scale %a by 1.0 : !snn.signal<1, spike> -> !snn.signal<1, f64>
    %c = snn.if @c(%ic) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<1, spike>
    snn.output @y %b : !snn.signal<1, spike>
    snn.output @z %c : !snn.signal<1, spike>
  }
  cluster.program of @two {
    %x = cluster.input @x : !snn.signal<1, spike>
    %a = cluster.cluster @c0 axons(%x[0]) slices(neurons @a[0] rows [0] column 0) : (!snn.signal<1, spike>) -> !snn.signal<1, spike>
    %b = cluster.cluster @c1 axons(%a[0]) slices(neurons @b[0] rows [0] column 0) : (!snn.signal<1, spike>) -> !snn.signal<1, spike>
    %c = cluster.cluster @c2 axons(%a[0]) slices(neurons @c[0] rows [0] column 0) : (!snn.signal<1, spike>) -> !snn.signal<1, spike>
    cluster.output @y(%b) : !snn.signal<1, spike>
    cluster.output @z(%c) : !snn.signal<1, spike>
  }
}
