// What cluster-merge does, and what it refuses. Run with `pytest` (docs/writing-a-pass.md), or with LLVM's lit.
//
// RUN: snn-opt %s --load %S/merge_clusters.py --split-input-file --verify-diagnostics \
// RUN:   --pass-pipeline="builtin.module(cluster-merge{cut=false})" | filecheck %s --check-prefixes=CHECK,WHOLE
// RUN: snn-opt %s --load %S/merge_clusters.py --split-input-file --verify-diagnostics \
// RUN:   --pass-pipeline="builtin.module(cluster-merge)" | filecheck %s --check-prefixes=CHECK,CUT
// RUN: snn-opt %s --load %S/merge_clusters.py --split-input-file --verify-diagnostics \
// RUN:   --pass-pipeline="builtin.module(cluster-merge{min-shared=4})" | filecheck %s --check-prefix=SHARED
// RUN: snn-opt --load %S/merge_clusters.py --list-passes | filecheck %s --check-prefix=LIST

// LIST: cluster-merge
// LIST: min-shared: int = 0
// LIST-NEXT: A slice moves only to a cluster that has at least so many of its axons already.

// Two clusters that read the same lines become one: the axons take their rows once, and the columns follow each other.
builtin.module attributes {platform.machine = #platform.machine<"small", tiles(mesh = [2, 2], crossbars = 1),
    crossbar(rows = 4, columns = 4, fanin = "digital"), buffers(events = 64), time(unit = "ns", read = 1)>} {
  snn.network @shared dt 0.001 {
    %x = snn.input @lines : !snn.signal<4, spike>
    %c = snn.dense %x weights #snn.tensor<"w", 3x4xf64, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]>
      : !snn.signal<4, spike> -> !snn.signal<3, f64>
    %s = snn.if @n(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<3, spike>
    snn.output @out %s : !snn.signal<3, spike>
  }
  // CHECK: cluster.program of @shared
  // CHECK-NEXT: %[[X:.*]] = cluster.input @lines
  // CHECK-NEXT: cluster.cluster @c1 axons(%[[X]][0:4]) slices(neurons @n[0:3] rows [0:4] column 0)
  // CHECK-NEXT: cluster.output @out
  // SHARED: cluster.program of @shared
  // SHARED: cluster.cluster @c1
  // SHARED-NEXT: cluster.output
  cluster.program of @shared {
    %x = cluster.input @lines : !snn.signal<4, spike>
    %a = cluster.cluster @c0 axons(%x[0:4]) slices(neurons @n[0] rows [0:4] column 0)
      : (!snn.signal<4, spike>) -> !snn.signal<1, spike>
    %b = cluster.cluster @c1 axons(%x[0:4]) slices(neurons @n[1:3] rows [0:4] column 0)
      : (!snn.signal<4, spike>) -> !snn.signal<2, spike>
    cluster.output @out(%a, %b) : !snn.signal<1, spike>, !snn.signal<2, spike>
  }
}

// -----

// A partial sum that meets the neurons that add it becomes part of their column.
builtin.module attributes {platform.machine = #platform.machine<"small", tiles(mesh = [2, 2], crossbars = 1),
    crossbar(rows = 4, columns = 4, fanin = "digital", max_delay = 2), buffers(events = 64), time(unit = "ns", read = 1)>} {
  snn.network @partial dt 0.001 {
    %x = snn.input @lines : !snn.signal<4, spike>
    %c = snn.dense %x weights #snn.tensor<"w", 2x4xf64, [1, 2, 3, 4, 5, 6, 7, 8]> delay 2
      : !snn.signal<4, spike> -> !snn.signal<2, f64>
    %s = snn.if @n(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
    snn.output @out %s : !snn.signal<2, spike>
  }
  // CHECK: cluster.program of @partial
  // CHECK-NEXT: %[[X:.*]] = cluster.input @lines
  // CHECK-NEXT: cluster.cluster @{{c.}} axons(%[[X]][0:4] delay 2) slices(neurons @n[0:2] rows [0:4] column 0) :
  // CHECK-NEXT: cluster.output @out
  // SHARED: cluster.program of @partial
  // SHARED: adds 1
  cluster.program of @partial {
    %x = cluster.input @lines : !snn.signal<4, spike>
    %p = cluster.cluster @c0 axons(%x[2:4] delay 2) slices(partial @n[0:2] rows [0:2] column 0)
      : (!snn.signal<4, spike>) -> !cluster.partial<2>
    %s = cluster.cluster @c1 axons(%x[0:2] delay 2) sums(%p) slices(neurons @n[0:2] rows [0:2] column 0 adds 1)
      : (!snn.signal<4, spike>, !cluster.partial<2>) -> !snn.signal<2, spike>
    cluster.output @out(%s) : !snn.signal<2, spike>
  }
}

// -----

// Two neurons that no cluster has room for together go to two clusters, unless they must not be cut.
builtin.module attributes {platform.machine = #platform.machine<"small", tiles(mesh = [2, 2], crossbars = 1),
    crossbar(rows = 4, columns = 4), buffers(events = 64), time(unit = "ns", read = 1)>} {
  snn.network @crowded dt 0.001 {
    %x = snn.input @lines : !snn.signal<4, spike>
    %c = snn.dense %x weights #snn.tensor<"w", 8x4xi8, "0x0102030401020304010203040102030401020304010203040102030401020304"> scale 1.0
      : !snn.signal<4, spike> -> !snn.signal<8, f64>
    %s = snn.if @n(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<8, spike>
    snn.output @out %s : !snn.signal<8, spike>
  }
  // CHECK: cluster.program of @crowded
  // CUT: cluster.cluster @c0 axons({{.*}}) slices(neurons @n[0:3, 6] rows [0:4] column 0)
  // CUT-NEXT: cluster.cluster @c1 axons({{.*}}) slices(neurons @n[3:6, 7] rows [0:4] column 0)
  // CUT-NEXT: cluster.output
  // WHOLE: cluster.cluster @c0
  // WHOLE-NEXT: cluster.cluster @c1
  // WHOLE-NEXT: cluster.cluster @c2
  cluster.program of @crowded {
    %x = cluster.input @lines : !snn.signal<4, spike>
    %a = cluster.cluster @c0 axons(%x[0:4]) slices(neurons @n[0:3] rows [0:4] column 0)
      : (!snn.signal<4, spike>) -> !snn.signal<3, spike>
    %b = cluster.cluster @c1 axons(%x[0:4]) slices(neurons @n[3:6] rows [0:4] column 0)
      : (!snn.signal<4, spike>) -> !snn.signal<3, spike>
    %d = cluster.cluster @c2 axons(%x[0:4]) slices(neurons @n[6:8] rows [0:4] column 0)
      : (!snn.signal<4, spike>) -> !snn.signal<2, spike>
    cluster.output @out(%a, %b, %d) : !snn.signal<3, spike>, !snn.signal<3, spike>, !snn.signal<2, spike>
  }
}

// -----

// Recurrent: each cluster reads the other, and then itself.
builtin.module attributes {platform.machine = #platform.machine<"small", tiles(mesh = [2, 2], crossbars = 1),
    crossbar(rows = 4, columns = 4, max_delay = 1), buffers(events = 64), time(unit = "ns", read = 1)>} {
  snn.network @loop dt 0.001 {
    %x = snn.input @lines : !snn.signal<2, spike>
    %c = snn.dense %x weights #snn.tensor<"w", 2x2xf64, [1, 2, 3, 4]> : !snn.signal<2, spike> -> !snn.signal<2, f64>
    %d = snn.dense %s weights #snn.tensor<"v", 2x2xf64, [1, 2, 3, 4]> delay 1
      : !snn.signal<2, spike> -> !snn.signal<2, f64>
    %s = snn.if @n(%c, %d) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
    snn.output @out %s : !snn.signal<2, spike>
  }
  // CHECK: cluster.program of @loop
  // CHECK: %[[S:.*]] = cluster.cluster @c1 axons(%{{.*}}[0:2], %[[S]][0:2] delay 1) slices(neurons @n[0:2] rows [0:4] column 0)
  // CHECK-NEXT: cluster.output @out(%[[S]])
  cluster.program of @loop {
    %x = cluster.input @lines : !snn.signal<2, spike>
    %a = cluster.cluster @c0 axons(%x[0:2], %a[0] delay 1, %b[1] delay 1) slices(neurons @n[0] rows [0:4] column 0)
      : (!snn.signal<2, spike>, !snn.signal<1, spike>, !snn.signal<1, spike>) -> !snn.signal<1, spike>
    %b = cluster.cluster @c1 axons(%x[0:2], %a[0] delay 1, %b[1] delay 1) slices(neurons @n[1] rows [0:4] column 0)
      : (!snn.signal<2, spike>, !snn.signal<1, spike>, !snn.signal<1, spike>) -> !snn.signal<1, spike>
    cluster.output @out(%a, %b) : !snn.signal<1, spike>, !snn.signal<1, spike>
  }
}

// -----

// CHECK: error: @c0 has a place already
// CHECK-NEXT: fix: run cluster-merge before cluster-place
builtin.module attributes {platform.machine = #platform.machine<"small", tiles(mesh = [2, 2], crossbars = 1),
    crossbar(rows = 4, columns = 4), buffers(events = 64), time(unit = "ns", read = 1)>} {
  snn.network @placed dt 0.001 {
    %x = snn.input @lines : !snn.signal<1, spike>
    %c = snn.scale %x by 1.0 : !snn.signal<1, spike> -> !snn.signal<1, f64>
    %s = snn.if @n(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<1, spike>
    snn.output @out %s : !snn.signal<1, spike>
  }
  cluster.program of @placed {
    %x = cluster.input @lines : !snn.signal<1, spike>
    %a = cluster.cluster @c0 axons(%x[0]) slices(neurons @n[0] rows [0] column 0) at [0, 0] crossbar 0
      : (!snn.signal<1, spike>) -> !snn.signal<1, spike>
    cluster.output @out(%a) : !snn.signal<1, spike>
  }
}

// -----

// Two slices of one population that share a crossbar already become one slice: it is read once per step.
builtin.module attributes {platform.machine = #platform.machine<"small", tiles(mesh = [2, 2], crossbars = 1),
    crossbar(rows = 4, columns = 4), buffers(events = 64), time(unit = "ns", read = 1)>} {
  snn.network @together dt 0.001 {
    %x = snn.input @lines : !snn.signal<1, spike>
    %c = snn.dense %x weights #snn.tensor<"w", 2x1xf64, [1, 2]> : !snn.signal<1, spike> -> !snn.signal<2, f64>
    %s = snn.if @n(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
    snn.output @out %s : !snn.signal<2, spike>
  }
  // CHECK: cluster.program of @together
  // CHECK: slices(neurons @n[0:2] rows [0] column 0)
  // CHECK-SAME: (!snn.signal<1, spike>) -> !snn.signal<2, spike>
  cluster.program of @together {
    %x = cluster.input @lines : !snn.signal<1, spike>
    %b, %a = cluster.cluster @c0 axons(%x[0]) slices(neurons @n[1] rows [0] column 0, neurons @n[0] rows [0] column 1)
      : (!snn.signal<1, spike>) -> (!snn.signal<1, spike>, !snn.signal<1, spike>)
    cluster.output @out(%a, %b) : !snn.signal<1, spike>, !snn.signal<1, spike>
  }
}
