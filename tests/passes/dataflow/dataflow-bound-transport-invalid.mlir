// RUN: snn-opt %s -p dataflow-bound-transport --split-input-file --verify-diagnostics | filecheck %s
// RUN: snn-opt %s -p 'dataflow-bound-transport{pairs=-1}' --split-input-file --verify-diagnostics | filecheck %s --check-prefix=LESS
// RUN: snn-opt %s -p 'dataflow-bound-transport{pairs=0}' --split-input-file --verify-diagnostics | filecheck %s --check-prefix=NEVER

// The graph was made when @x had another name: its transport is not that of these clusters.
// CHECK: @x.carry.1_0 is missing
// CHECK-NEXT: fix: run convert-cluster-to-dataflow and dataflow-schedule again
// LESS: nothing has -1 pairs
// LESS-NEXT: fix: give the most pairs for which something is tried, 0 for never
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 8, columns = 4, max_delay = 3), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10)>} {
  snn.network @ring dt 0.001 {
    %x = snn.input @x : !snn.signal<4, spike>
    %s = snn.scale %b by 1.0 delay 1 : !snn.signal<4, spike> -> !snn.signal<4, f64>
    %a = snn.if @a(%s) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<4, spike>
    %t = snn.scale %x by 1.0 : !snn.signal<4, spike> -> !snn.signal<4, f64>
    %u = snn.scale %a by 1.0 : !snn.signal<4, spike> -> !snn.signal<4, f64>
    %b = snn.if @b(%t, %u) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<4, spike>
    snn.output @y %b : !snn.signal<4, spike>
  }
  cluster.program of @ring {
    %x = cluster.input @x routes(0 to tile [1, 0]) : !snn.signal<4, spike>
    %a = cluster.cluster @c0 axons(%b[0:4] delay 1) slices(neurons @a[0:4] rows [0:4] column 0) at [0, 0] crossbar 0 routes(0 to tile [1, 0]) : (!snn.signal<4, spike>) -> !snn.signal<4, spike>
    %b = cluster.cluster @c1 axons(%x[0:4], %a[0:4]) slices(neurons @b[0:4] rows [0:8] column 0) at [1, 0] crossbar 0 routes(0 to tile [0, 0] and 0 to host) : (!snn.signal<4, spike>, !snn.signal<4, spike>) -> !snn.signal<4, spike>
    cluster.output @y(%b) : !snn.signal<4, spike>
  }
  dataflow.graph of @ring unit "ns" activity "worst" {
    %gx = dataflow.actor input @x time 0 mean 0 makes(1) : () -> !dataflow.token<4>
    %ga = dataflow.actor slice @c0.a on @c0 time 10 mean 10 reads(%cb[1] tokens 1 capacity 3) makes(1) : (!dataflow.token<4>) -> !dataflow.token<4>
    %gb = dataflow.actor slice @c1.b on @c1 time 10 mean 10 reads(%cx[1] capacity 2, %ca[1] capacity 2) makes(1) : (!dataflow.token<4>, !dataflow.token<4>) -> !dataflow.token<4>
    %sx = dataflow.actor send @x.send.1_0 time 10 mean 10 reads(%gx[1]) makes(1) : (!dataflow.token<4>) -> !dataflow.token<4>
    %sa = dataflow.actor send @c0.a.send.1_0 time 10 mean 10 reads(%ga[1]) makes(1) : (!dataflow.token<4>) -> !dataflow.token<4>
    %sb = dataflow.actor send @c1.b.send.0_0 time 10 mean 10 reads(%gb[1]) makes(1) : (!dataflow.token<4>) -> !dataflow.token<4>
    %sy = dataflow.actor send @c1.b.send.host time 10 mean 10 reads(%gb[1]) makes(1) : (!dataflow.token<4>) -> !dataflow.token<4>
    %cx = dataflow.actor carry @w.carry.1_0 time 7 mean 6 concurrent reads(%sx[1]) makes(1) : (!dataflow.token<4>) -> !dataflow.token<4>
    %ca = dataflow.actor carry @c0.a.carry.1_0 time 7 mean 6 concurrent reads(%sa[1]) makes(1) : (!dataflow.token<4>) -> !dataflow.token<4>
    %cb = dataflow.actor carry @c1.b.carry.0_0 time 7 mean 6 concurrent reads(%sb[1]) makes(1) : (!dataflow.token<4>) -> !dataflow.token<4>
    %cy = dataflow.actor carry @c1.b.carry.host time 7 mean 6 concurrent reads(%sy[1]) makes(1) : (!dataflow.token<4>) -> !dataflow.token<4>
    dataflow.actor output @y time 0 mean 0 reads(%cy[1] capacity 2) : (!dataflow.token<4>) -> ()
    dataflow.order @c0 [@c0.a]
    dataflow.order @c1 [@c1.b]
  }
}

// -----

// Without an initial token between them, @a and @b wait for each other.
// CHECK: deadlock
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 8, columns = 4, max_delay = 3), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10)>} {
  snn.network @ring dt 0.001 {
    %x = snn.input @x : !snn.signal<4, spike>
    %s = snn.scale %b by 1.0 delay 1 : !snn.signal<4, spike> -> !snn.signal<4, f64>
    %a = snn.if @a(%s) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<4, spike>
    %t = snn.scale %x by 1.0 : !snn.signal<4, spike> -> !snn.signal<4, f64>
    %u = snn.scale %a by 1.0 : !snn.signal<4, spike> -> !snn.signal<4, f64>
    %b = snn.if @b(%t, %u) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<4, spike>
    snn.output @y %b : !snn.signal<4, spike>
  }
  cluster.program of @ring {
    %x = cluster.input @x routes(0 to tile [1, 0]) : !snn.signal<4, spike>
    %a = cluster.cluster @c0 axons(%b[0:4] delay 1) slices(neurons @a[0:4] rows [0:4] column 0) at [0, 0] crossbar 0 routes(0 to tile [1, 0]) : (!snn.signal<4, spike>) -> !snn.signal<4, spike>
    %b = cluster.cluster @c1 axons(%x[0:4], %a[0:4]) slices(neurons @b[0:4] rows [0:8] column 0) at [1, 0] crossbar 0 routes(0 to tile [0, 0] and 0 to host) : (!snn.signal<4, spike>, !snn.signal<4, spike>) -> !snn.signal<4, spike>
    cluster.output @y(%b) : !snn.signal<4, spike>
  }
  dataflow.graph of @ring unit "ns" activity "worst" {
    %gx = dataflow.actor input @x time 0 mean 0 makes(1) : () -> !dataflow.token<4>
    %ga = dataflow.actor slice @c0.a on @c0 time 10 mean 10 reads(%cb[1] capacity 3) makes(1) : (!dataflow.token<4>) -> !dataflow.token<4>
    %gb = dataflow.actor slice @c1.b on @c1 time 10 mean 10 reads(%cx[1] capacity 2, %ca[1] capacity 2) makes(1) : (!dataflow.token<4>, !dataflow.token<4>) -> !dataflow.token<4>
    %sx = dataflow.actor send @x.send.1_0 time 10 mean 10 reads(%gx[1]) makes(1) : (!dataflow.token<4>) -> !dataflow.token<4>
    %sa = dataflow.actor send @c0.a.send.1_0 time 10 mean 10 reads(%ga[1]) makes(1) : (!dataflow.token<4>) -> !dataflow.token<4>
    %sb = dataflow.actor send @c1.b.send.0_0 time 10 mean 10 reads(%gb[1]) makes(1) : (!dataflow.token<4>) -> !dataflow.token<4>
    %sy = dataflow.actor send @c1.b.send.host time 10 mean 10 reads(%gb[1]) makes(1) : (!dataflow.token<4>) -> !dataflow.token<4>
    %cx = dataflow.actor carry @x.carry.1_0 time 7 mean 6 concurrent reads(%sx[1]) makes(1) : (!dataflow.token<4>) -> !dataflow.token<4>
    %ca = dataflow.actor carry @c0.a.carry.1_0 time 7 mean 6 concurrent reads(%sa[1]) makes(1) : (!dataflow.token<4>) -> !dataflow.token<4>
    %cb = dataflow.actor carry @c1.b.carry.0_0 time 7 mean 6 concurrent reads(%sb[1]) makes(1) : (!dataflow.token<4>) -> !dataflow.token<4>
    %cy = dataflow.actor carry @c1.b.carry.host time 7 mean 6 concurrent reads(%sy[1]) makes(1) : (!dataflow.token<4>) -> !dataflow.token<4>
    dataflow.actor output @y time 0 mean 0 reads(%cy[1] capacity 2) : (!dataflow.token<4>) -> ()
    dataflow.order @c0 [@c0.a]
    dataflow.order @c1 [@c1.b]
  }
}

// -----

// CHECK: the crossbars have no static order
// CHECK-NEXT: fix: run dataflow-schedule before
// NEVER: the crossbars have no static order
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 8, columns = 4, max_delay = 3), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10)>} {
  snn.network @ring dt 0.001 {
    %x = snn.input @x : !snn.signal<4, spike>
    %s = snn.scale %b by 1.0 delay 1 : !snn.signal<4, spike> -> !snn.signal<4, f64>
    %a = snn.if @a(%s) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<4, spike>
    %t = snn.scale %x by 1.0 : !snn.signal<4, spike> -> !snn.signal<4, f64>
    %u = snn.scale %a by 1.0 : !snn.signal<4, spike> -> !snn.signal<4, f64>
    %b = snn.if @b(%t, %u) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<4, spike>
    snn.output @y %b : !snn.signal<4, spike>
  }
  cluster.program of @ring {
    %x = cluster.input @x routes(0 to tile [1, 0]) : !snn.signal<4, spike>
    %a = cluster.cluster @c0 axons(%b[0:4] delay 1) slices(neurons @a[0:4] rows [0:4] column 0) at [0, 0] crossbar 0 routes(0 to tile [1, 0]) : (!snn.signal<4, spike>) -> !snn.signal<4, spike>
    %b = cluster.cluster @c1 axons(%x[0:4], %a[0:4]) slices(neurons @b[0:4] rows [0:8] column 0) at [1, 0] crossbar 0 routes(0 to tile [0, 0] and 0 to host) : (!snn.signal<4, spike>, !snn.signal<4, spike>) -> !snn.signal<4, spike>
    cluster.output @y(%b) : !snn.signal<4, spike>
  }
  dataflow.graph of @ring unit "ns" activity "worst" {
    %gx = dataflow.actor input @x time 0 mean 0 makes(1) : () -> !dataflow.token<4>
    %ga = dataflow.actor slice @c0.a on @c0 time 10 mean 10 reads(%cb[1] tokens 1 capacity 3) makes(1) : (!dataflow.token<4>) -> !dataflow.token<4>
    %gb = dataflow.actor slice @c1.b on @c1 time 10 mean 10 reads(%cx[1] capacity 2, %ca[1] capacity 2) makes(1) : (!dataflow.token<4>, !dataflow.token<4>) -> !dataflow.token<4>
    %sx = dataflow.actor send @x.send.1_0 time 10 mean 10 reads(%gx[1]) makes(1) : (!dataflow.token<4>) -> !dataflow.token<4>
    %sa = dataflow.actor send @c0.a.send.1_0 time 10 mean 10 reads(%ga[1]) makes(1) : (!dataflow.token<4>) -> !dataflow.token<4>
    %sb = dataflow.actor send @c1.b.send.0_0 time 10 mean 10 reads(%gb[1]) makes(1) : (!dataflow.token<4>) -> !dataflow.token<4>
    %sy = dataflow.actor send @c1.b.send.host time 10 mean 10 reads(%gb[1]) makes(1) : (!dataflow.token<4>) -> !dataflow.token<4>
    %cx = dataflow.actor carry @x.carry.1_0 time 7 mean 6 concurrent reads(%sx[1]) makes(1) : (!dataflow.token<4>) -> !dataflow.token<4>
    %ca = dataflow.actor carry @c0.a.carry.1_0 time 7 mean 6 concurrent reads(%sa[1]) makes(1) : (!dataflow.token<4>) -> !dataflow.token<4>
    %cb = dataflow.actor carry @c1.b.carry.0_0 time 7 mean 6 concurrent reads(%sb[1]) makes(1) : (!dataflow.token<4>) -> !dataflow.token<4>
    %cy = dataflow.actor carry @c1.b.carry.host time 7 mean 6 concurrent reads(%sy[1]) makes(1) : (!dataflow.token<4>) -> !dataflow.token<4>
    dataflow.actor output @y time 0 mean 0 reads(%cy[1] capacity 2) : (!dataflow.token<4>) -> ()
  }
}

// -----

// Bounds of transport that count on some to have arrived cannot be made better one by one.
// CHECK: the transport of this graph is bounded by deadlines already
// CHECK-NEXT: fix: run convert-cluster-to-dataflow and dataflow-schedule again
// NEVER: the transport of this graph is bounded by deadlines already
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 8, columns = 4, max_delay = 3), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10)>} {
  snn.network @ring dt 0.001 {
    %x = snn.input @x : !snn.signal<4, spike>
    %s = snn.scale %b by 1.0 delay 1 : !snn.signal<4, spike> -> !snn.signal<4, f64>
    %a = snn.if @a(%s) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<4, spike>
    %t = snn.scale %x by 1.0 : !snn.signal<4, spike> -> !snn.signal<4, f64>
    %u = snn.scale %a by 1.0 : !snn.signal<4, spike> -> !snn.signal<4, f64>
    %b = snn.if @b(%t, %u) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<4, spike>
    snn.output @y %b : !snn.signal<4, spike>
  }
  cluster.program of @ring {
    %x = cluster.input @x routes(0 to tile [1, 0]) : !snn.signal<4, spike>
    %a = cluster.cluster @c0 axons(%b[0:4] delay 1) slices(neurons @a[0:4] rows [0:4] column 0) at [0, 0] crossbar 0 routes(0 to tile [1, 0]) : (!snn.signal<4, spike>) -> !snn.signal<4, spike>
    %b = cluster.cluster @c1 axons(%x[0:4], %a[0:4]) slices(neurons @b[0:4] rows [0:8] column 0) at [1, 0] crossbar 0 routes(0 to tile [0, 0] and 0 to host) : (!snn.signal<4, spike>, !snn.signal<4, spike>) -> !snn.signal<4, spike>
    cluster.output @y(%b) : !snn.signal<4, spike>
  }
  dataflow.graph of @ring unit "ns" activity "worst" {
    %gx = dataflow.actor input @x time 0 mean 0 makes(1) : () -> !dataflow.token<4>
    %ga = dataflow.actor slice @c0.a on @c0 time 10 mean 10 reads(%cb[1] tokens 1 capacity 3) makes(1) : (!dataflow.token<4>) -> !dataflow.token<4>
    %gb = dataflow.actor slice @c1.b on @c1 time 10 mean 10 reads(%cx[1] capacity 2, %ca[1] capacity 2) makes(1) : (!dataflow.token<4>, !dataflow.token<4>) -> !dataflow.token<4>
    %sx = dataflow.actor send @x.send.1_0 time 10 mean 10 reads(%gx[1]) makes(1) : (!dataflow.token<4>) -> !dataflow.token<4>
    %sa = dataflow.actor send @c0.a.send.1_0 time 10 mean 10 reads(%ga[1]) makes(1) : (!dataflow.token<4>) -> !dataflow.token<4>
    %sb = dataflow.actor send @c1.b.send.0_0 time 10 mean 10 reads(%gb[1]) makes(1) : (!dataflow.token<4>) -> !dataflow.token<4>
    %sy = dataflow.actor send @c1.b.send.host time 10 mean 10 reads(%gb[1]) makes(1) : (!dataflow.token<4>) -> !dataflow.token<4>
    %cx = dataflow.actor carry @x.carry.1_0 time 7 mean 6 concurrent reads(%sx[1]) makes(1) : (!dataflow.token<4>) -> !dataflow.token<4>
    %ca = dataflow.actor carry @c0.a.carry.1_0 time 7 mean 6 concurrent reads(%sa[1]) makes(1) {after = [[@x.carry.1_0, -1 : i64]]} : (!dataflow.token<4>) -> !dataflow.token<4>
    %cb = dataflow.actor carry @c1.b.carry.0_0 time 7 mean 6 concurrent reads(%sb[1]) makes(1) : (!dataflow.token<4>) -> !dataflow.token<4>
    %cy = dataflow.actor carry @c1.b.carry.host time 7 mean 6 concurrent reads(%sy[1]) makes(1) : (!dataflow.token<4>) -> !dataflow.token<4>
    dataflow.actor output @y time 0 mean 0 reads(%cy[1] capacity 2) : (!dataflow.token<4>) -> ()
    dataflow.order @c0 [@c0.a]
    dataflow.order @c1 [@c1.b]
  }
}

// -----

// CHECK: @c0.a.carry.1_0 is after [@x.carry.1_0], which is no actor of the graph and a number of tokens
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 8, columns = 4, max_delay = 3), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10)>} {
  snn.network @ring dt 0.001 {
    %x = snn.input @x : !snn.signal<4, spike>
    %s = snn.scale %b by 1.0 delay 1 : !snn.signal<4, spike> -> !snn.signal<4, f64>
    %a = snn.if @a(%s) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<4, spike>
    %t = snn.scale %x by 1.0 : !snn.signal<4, spike> -> !snn.signal<4, f64>
    %u = snn.scale %a by 1.0 : !snn.signal<4, spike> -> !snn.signal<4, f64>
    %b = snn.if @b(%t, %u) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<4, spike>
    snn.output @y %b : !snn.signal<4, spike>
  }
  cluster.program of @ring {
    %x = cluster.input @x routes(0 to tile [1, 0]) : !snn.signal<4, spike>
    %a = cluster.cluster @c0 axons(%b[0:4] delay 1) slices(neurons @a[0:4] rows [0:4] column 0) at [0, 0] crossbar 0 routes(0 to tile [1, 0]) : (!snn.signal<4, spike>) -> !snn.signal<4, spike>
    %b = cluster.cluster @c1 axons(%x[0:4], %a[0:4]) slices(neurons @b[0:4] rows [0:8] column 0) at [1, 0] crossbar 0 routes(0 to tile [0, 0] and 0 to host) : (!snn.signal<4, spike>, !snn.signal<4, spike>) -> !snn.signal<4, spike>
    cluster.output @y(%b) : !snn.signal<4, spike>
  }
  dataflow.graph of @ring unit "ns" activity "worst" {
    %gx = dataflow.actor input @x time 0 mean 0 makes(1) : () -> !dataflow.token<4>
    %ga = dataflow.actor slice @c0.a on @c0 time 10 mean 10 reads(%cb[1] tokens 1 capacity 3) makes(1) : (!dataflow.token<4>) -> !dataflow.token<4>
    %gb = dataflow.actor slice @c1.b on @c1 time 10 mean 10 reads(%cx[1] capacity 2, %ca[1] capacity 2) makes(1) : (!dataflow.token<4>, !dataflow.token<4>) -> !dataflow.token<4>
    %sx = dataflow.actor send @x.send.1_0 time 10 mean 10 reads(%gx[1]) makes(1) : (!dataflow.token<4>) -> !dataflow.token<4>
    %sa = dataflow.actor send @c0.a.send.1_0 time 10 mean 10 reads(%ga[1]) makes(1) : (!dataflow.token<4>) -> !dataflow.token<4>
    %sb = dataflow.actor send @c1.b.send.0_0 time 10 mean 10 reads(%gb[1]) makes(1) : (!dataflow.token<4>) -> !dataflow.token<4>
    %sy = dataflow.actor send @c1.b.send.host time 10 mean 10 reads(%gb[1]) makes(1) : (!dataflow.token<4>) -> !dataflow.token<4>
    %cx = dataflow.actor carry @x.carry.1_0 time 7 mean 6 concurrent reads(%sx[1]) makes(1) : (!dataflow.token<4>) -> !dataflow.token<4>
    %ca = dataflow.actor carry @c0.a.carry.1_0 time 7 mean 6 concurrent reads(%sa[1]) makes(1) {after = [[@x.carry.1_0]]} : (!dataflow.token<4>) -> !dataflow.token<4>
    %cb = dataflow.actor carry @c1.b.carry.0_0 time 7 mean 6 concurrent reads(%sb[1]) makes(1) : (!dataflow.token<4>) -> !dataflow.token<4>
    %cy = dataflow.actor carry @c1.b.carry.host time 7 mean 6 concurrent reads(%sy[1]) makes(1) : (!dataflow.token<4>) -> !dataflow.token<4>
    dataflow.actor output @y time 0 mean 0 reads(%cy[1] capacity 2) : (!dataflow.token<4>) -> ()
    dataflow.order @c0 [@c0.a]
    dataflow.order @c1 [@c1.b]
  }
}

// -----

// CHECK: this pass needs one cluster.program in the module and finds 0
// CHECK-NEXT: fix: run this before convert-dataflow-to-crossbar
builtin.module {
  dataflow.graph @pair activity "worst" {
    %a = dataflow.actor task @a on @t time 1 makes(1) : () -> !dataflow.token<1>
    dataflow.actor task @b on @t time 1 reads(%a[1]) : (!dataflow.token<1>) -> ()
    dataflow.order @t [@a, @b]
  }
}

// -----

// CHECK: this pass needs one dataflow.graph in the module and finds 0
// CHECK-NEXT: fix: run convert-cluster-to-dataflow before
builtin.module {
}
