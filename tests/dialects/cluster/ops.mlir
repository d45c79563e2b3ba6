// RUN: ROUNDTRIP
// RUN: GENERIC_ROUNDTRIP

// Clusters that read each other, partial sums, places, routes, attributes.
builtin.module attributes {platform.machine = #platform.machine<"m", tiles(mesh = [2, 1], crossbars = 2), crossbar(rows = 4, columns = 4, fanin = "digital", max_delay = 2), buffers(events = 64), time(unit = "ns", read = 10)>} {
  snn.network @net dt 0.001 {
    %x = snn.input @x : !snn.signal<4, spike>
    %in = snn.dense %x weights #snn.tensor<"in", 2x4xf32, [1, 2, 3, 4, 5, 6, 7, 8]> : !snn.signal<4, spike> -> !snn.signal<2, f64>
    %rec = snn.dense %b weights #snn.tensor<"rec", 2x2xf32, [1, 2, 3, 4]> delay 2 : !snn.signal<2, spike> -> !snn.signal<2, f64>
    %a = snn.if @a(%in, %rec) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
    %ab = snn.scale %a by 1.0 : !snn.signal<2, spike> -> !snn.signal<2, f64>
    %b = snn.if @b(%ab) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
    snn.output @y %b : !snn.signal<2, spike>
  }
  // CHECK: cluster.program of @net attributes {made = "by hand"} {
  cluster.program of @net attributes {made = "by hand"} {
    // CHECK-NEXT: [[X:%.+]] = cluster.input @x routes(0 to tile [0, 0]) : !snn.signal<4, spike>
    %x = cluster.input @x routes(0 to tile [0, 0]) : !snn.signal<4, spike>
    // CHECK-NEXT: [[S:%.+]] = cluster.cluster @sums axons([[X]][0:4]) slices(partial @a[0:2] rows [0:4] column 0) at [0, 0] crossbar 0 : (!snn.signal<4, spike>) -> !cluster.partial<2>
    %s = cluster.cluster @sums axons(%x[0:4]) slices(partial @a[0:2] rows [0:4] column 0) at [0, 0] crossbar 0 : (!snn.signal<4, spike>) -> !cluster.partial<2>
    // CHECK-NEXT: [[A:%.+]], [[B0:%.+]] = cluster.cluster @both axons([[B1:%.+]][1] delay 2, [[B0]][0] delay 2, [[A]][0]) sums([[S]]) slices(neurons @a[0:2] rows [1, 0] column 2 adds 1, neurons @b[0] rows [2] column 0) at [0, 0] crossbar 1 routes(0 to tile [1, 0] and 1 to host) {note = 1 : i64} : (!snn.signal<1, spike>, !snn.signal<1, spike>, !snn.signal<2, spike>, !cluster.partial<2>) -> (!snn.signal<2, spike>, !snn.signal<1, spike>)
    %a, %b0 = cluster.cluster @both axons(%b1[1] delay 2, %b0[0] delay 2, %a[0]) sums(%s) slices(neurons @a[0:2] rows [1, 0] column 2 adds 1, neurons @b[0] rows [2] column 0) at [0, 0] crossbar 1 routes(0 to tile [1, 0] and 1 to host) {note = 1 : i64} : (!snn.signal<1, spike>, !snn.signal<1, spike>, !snn.signal<2, spike>, !cluster.partial<2>) -> (!snn.signal<2, spike>, !snn.signal<1, spike>)
    // CHECK-NEXT: [[B1]] = cluster.cluster @rest axons([[A]][1]) slices(neurons @b[1] rows [0] column 0) at [1, 0] crossbar 0 routes(0 to tile [0, 0] and 0 to host) : (!snn.signal<2, spike>) -> !snn.signal<1, spike>
    %b1 = cluster.cluster @rest axons(%a[1]) slices(neurons @b[1] rows [0] column 0) at [1, 0] crossbar 0 routes(0 to tile [0, 0] and 0 to host) : (!snn.signal<2, spike>) -> !snn.signal<1, spike>
    // CHECK-NEXT: cluster.output @y([[B0]], [[B1]]) : !snn.signal<1, spike>, !snn.signal<1, spike>
    cluster.output @y(%b0, %b1) : !snn.signal<1, spike>, !snn.signal<1, spike>
    // CHECK-NEXT: }
  }
}

// -----

// A population without inputs needs no rows; names need not be identifiers; without a machine nothing is placed.
snn.network @"0" dt 0.001 {
  %p = snn.if @"a b"() with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<3, spike>
  snn.output @"out/0" %p : !snn.signal<3, spike>
}
// CHECK: cluster.program of @"0" {
cluster.program of @"0" {
  // CHECK-NEXT: [[P:%.+]], [[Q:%.+]] = cluster.cluster @"c 0" axons() slices(neurons @"a b"[0, 2] rows [] column 0, neurons @"a b"[1] rows [] column 7) routes() : () -> (!snn.signal<2, spike>, !snn.signal<1, spike>)
  %p, %q = cluster.cluster @"c 0" axons() slices(neurons @"a b"[0, 2] rows [] column 0, neurons @"a b"[1] rows [] column 7) routes() : () -> (!snn.signal<2, spike>, !snn.signal<1, spike>)
  // CHECK-NEXT: cluster.cluster @empty axons() slices() : () -> ()
  cluster.cluster @empty axons() slices() : () -> ()
  // CHECK-NEXT: cluster.output @"out/0"([[Q]], [[P]]) : !snn.signal<1, spike>, !snn.signal<2, spike>
  cluster.output @"out/0"(%q, %p) : !snn.signal<1, spike>, !snn.signal<2, spike>
}

// -----

// An empty program has no clusters; the program may stand behind its clusters.
// CHECK: cluster.program of @none {
// CHECK-NEXT: }
cluster.program of @none {
}
snn.network @none dt 0.001 {
}

// -----

// A kernel that is read at four positions; a second one for the same positions of another channel.
snn.network @shared dt 0.001 {
  %x = snn.input @x : !snn.signal<1x3x3, spike>
  %c = snn.conv2d %x weights #snn.tensor<"w", 2x1x2x2xi8, [1, 2, 3, 4, 5, 6, 7, 8]> scale 1.0 : !snn.signal<1x3x3, spike> -> !snn.signal<2x2x2, f64>
  %p = snn.if @p(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2x2x2, spike>
  snn.output @y %p : !snn.signal<2x2x2, spike>
}
// CHECK: cluster.program of @shared {
cluster.program of @shared {
  // CHECK-NEXT: [[X:%.+]] = cluster.input @x
  %x = cluster.input @x : !snn.signal<1x3x3, spike>
  // CHECK-NEXT: cluster.cluster @c axons([[X]][0:9] windowed) slices(neurons @p[0:4] rows [0:4] column 0 reads 4 kernel [0:4] windows [0:9], neurons @p[4, 6, 5, 7] rows [4:8] column 1 reads 4 kernel [0:4] windows [0:9])
  %p, %q = cluster.cluster @c axons(%x[0:9] windowed) slices(neurons @p[0:4] rows [0:4] column 0 reads 4 kernel [0:4] windows [0:9], neurons @p[4, 6, 5, 7] rows [4:8] column 1 reads 4 kernel [0:4] windows [0:9]) : (!snn.signal<1x3x3, spike>) -> (!snn.signal<4, spike>, !snn.signal<4, spike>)
  cluster.output @y(%p, %q) : !snn.signal<4, spike>, !snn.signal<4, spike>
}

// -----

"test.op"() {
  // CHECK: attributes = [!cluster.partial<100>, #cluster.axons<[0:64] delay 1>, #cluster.axons<[3]>]
  attributes = [!cluster.partial<100>, #cluster.axons<[0:64] delay 1>, #cluster.axons<[3] delay 0>],
  // CHECK-SAME: slices = [#cluster.slice<neurons @hidden[0:128] rows [0:64] column 0 adds 1>, #cluster.slice<partial @"h/0"[0, 2] rows [] column 3>]
  slices = [#cluster.slice<neurons @hidden[0:128] rows [0:64] column 0 adds 1>, #cluster.slice<partial @"h/0"[0, 2] rows [] column 3>],
  // CHECK-SAME: ways = [#cluster.place<[0, 1] crossbar 3>, #cluster.route<0 to tile [1, 0]>, #cluster.route<1 to host>, #cluster.route<2 to tile [1, 0], host, tile [1, 1]>]
  ways = [#cluster.place<[0, 1] crossbar 3>, #cluster.route<0 to tile [1, 0]>, #cluster.route<1 to host>, #cluster.route<2 to tile [1, 0], host, tile [1, 1]>]
} : () -> ()

// -----

// Codes in place of spikes, also read token by token, where a comment follows.
snn.network @echo dt 0.001 {
  %x = snn.input @pixels coded (step = 1.0) : !snn.signal<2, i4>
  %c = snn.scale %x by 2.0 : !snn.signal<2, i4> -> !snn.signal<2, f64>
  %s = snn.relu @copy(%c) coded (step = 1.0) : !snn.signal<2, ui6>
  %d = snn.scale %s by 2.0 : !snn.signal<2, ui6> -> !snn.signal<2, f64>
  %t = snn.clip @end(%d) with (low = -1.0, high = 1.0) coded (step = 0.5) : !snn.signal<2, si16>
  snn.output @label %t : !snn.signal<2, si16>
}
// CHECK: cluster.program of @echo {
cluster.program of @echo {
  // CHECK-NEXT: [[P:%[^ ]+]] = cluster.input @pixels : !snn.signal<2, i4>
  %p = cluster.input @pixels : !snn.signal<2, i4>
  // CHECK-NEXT: [[Q:%[^ ]+]] = cluster.cluster @c0 axons([[P]][0:2]) slices(neurons @copy[0:2] rows [0:2] column 0) : (!snn.signal<2, i4>) -> !snn.signal<2, ui6>
  %q = cluster.cluster @c0 axons(%p[0:2]) slices(neurons @copy[0:2] rows [0:2] column 0) : (!snn.signal<2, i4>) -> !snn.signal<2, ui6>
  // CHECK-NEXT: [[R:%[^ ]+]] = cluster.cluster @c1 axons([[Q]][0:2]) slices(neurons @end[0:2] rows [0:2] column 0) : (!snn.signal<2, ui6>) -> !snn.signal<2, si16>
  %r = cluster.cluster @c1 axons(%q[0:2]) slices(neurons @end[0:2] rows [0:2] column 0) : (!snn.signal<2, ui6>) -> !snn.signal<2, si16> // one by one
  // CHECK-NEXT: cluster.output @label([[R]]) : !snn.signal<2, si16>
  cluster.output @label(%r) : !snn.signal<2, si16>
}
