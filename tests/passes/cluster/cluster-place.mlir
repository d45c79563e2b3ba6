// RUN: snn-opt %s -p "convert-snn-to-cluster,cluster-place{algorithm=row-major}" | filecheck %s --check-prefix=ROWS
// RUN: snn-opt %s -p "convert-snn-to-cluster,cluster-place" --statistics 2>&1 | filecheck %s --check-prefixes=BEST
// RUN: snn-opt %s -p "convert-snn-to-cluster,cluster-place{algorithm=swap}" --statistics 2>&1 | filecheck %s --check-prefixes=BEST
// RUN: snn-opt %s -p "convert-snn-to-cluster,cluster-place{algorithm=hilbert cost=multicast}" --statistics 2>&1 | filecheck %s --check-prefixes=BEST
// RUN: snn-opt %s -p "convert-snn-to-cluster,cluster-place{algorithm=annealing seed=3 effort=0.5}" --statistics 2>&1 | filecheck %s --check-prefixes=BEST
// RUN: snn-opt %s -p "convert-snn-to-cluster,cluster-place{algorithm=pso seed=7}" --statistics 2>&1 | filecheck %s --check-prefixes=BEST
// RUN: snn-opt %s -p "convert-snn-to-cluster,cluster-place{algorithm=load-balance}" | filecheck %s --check-prefix=ROWS
// RUN: snn-opt %s -p "convert-snn-to-cluster,cluster-place,cluster-place{algorithm=row-major}" | filecheck %s --check-prefix=ROWS

// The host is at tile [1, 0]. The input, 3 spikes a step, goes to @c0; @c1 returns 2; 3 run between them. With @c0 on
// tile [0, 0] that is 3 + 3 spike-hops a step, with @c0 beside the host 3 + 2.
// ROWS: @c0 {{.*}} at [0, 0] crossbar 0
// ROWS: @c1 {{.*}} at [1, 0] crossbar 0
// BEST: @c0 {{.*}} at [1, 0] crossbar 0
// BEST: @c1 {{.*}} at [0, 0] crossbar 0
// BEST: 5000 spike-hops per 1000 steps
// BEST: 6000 spike-hops per 1000 steps, row-major
// BEST: 5000 spike-links per 1000 steps
// BEST: 6000 spike-links per 1000 steps, row-major
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1, host = [1, 0]), crossbar(rows = 4, columns = 4, weight_bits = 4, fanin = "digital", max_delay = 3), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
  snn.network @toy dt 0.001 {
    %x = snn.input @x : !snn.signal<3, spike>
    %a = snn.dense %x weights #snn.tensor<"a", 3x3xf32, [1.0, 0.5, 0.0, 0.0, 1.0, 0.5, 0.0, 0.0, 1.0]> : !snn.signal<3, spike> -> !snn.signal<3, f64>
    %h = snn.if @h(%a) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<3, spike>
    %b = snn.dense %h weights #snn.tensor<"b", 2x3xf32, [1.0, 1.0, 0.0, 0.0, 1.0, 1.0]> delay 1 : !snn.signal<3, spike> -> !snn.signal<2, f64>
    %o = snn.if @o(%b) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
    snn.output @y %o : !snn.signal<2, spike>
  }
}
