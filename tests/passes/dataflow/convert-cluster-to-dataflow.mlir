// RUN: snn-opt %s -p convert-snn-to-cluster,cluster-place,cluster-route,convert-cluster-to-dataflow --split-input-file | filecheck %s
// RUN: snn-opt %s -p "convert-snn-to-cluster,cluster-place,cluster-route,convert-cluster-to-dataflow{activity=worst}" --split-input-file | filecheck %s --check-prefix=WORST

// A slice fires for read 10 + event 2 * spikes in + convert 3 * ceil(columns / 2) + update 5 * columns + spike 7 * out.
// Worst case: @h 10 + 2*3 + 3*2 + 5*3 + 7*3 = 58, @o 10 + 2*3 + 3*1 + 5*2 + 7*2 = 43. At the profiled peaks (2 spikes of
// @x, 1 of @h, 1 of @o): @h 10 + 2*2 + 6 + 15 + 7 = 42, @o 10 + 2 + 3 + 10 + 7 = 32. At the mean (2, 1/2, 1/10): 38.5 and
// 24.7, rounded. A token is its spikes and a marker, 1 a flit: sent in 1 * (spikes + 1), carried in one flit time a
// further link plus the hop of 4. @h is read a step late: one token is there at the start, and space for two more.
// WORST:      dataflow.graph of @toy unit "ns" activity "worst"
// WORST:        actor input @x time 0 mean 0 makes(1) : () -> !dataflow.token<3>
// WORST:        actor slice @c0.h on @c0 time 58 mean 38 reads(%{{.*}}[1] capacity 2) makes(1)
// WORST:        actor slice @c1.o on @c1 time 43 mean 25 reads(%{{.*}}[1] tokens 1 capacity 3) makes(1)
// WORST:        actor send @x.send.0_0 time 4 mean 3
// WORST:        actor send @c0.h.send.1_0 time 4 mean 2
// WORST:        actor send @c1.o.send.host time 3 mean 1
// WORST:        actor carry @x.carry.0_0 time 1 mean 1 concurrent
// WORST:        actor carry @c0.h.carry.1_0 time 6 mean 6 concurrent
// WORST:        actor carry @c1.o.carry.host time 6 mean 6 concurrent
// WORST:        actor output @y time 0 mean 0 reads(%{{.*}}[1] capacity 2)
// CHECK:      dataflow.graph of @toy unit "ns" activity "peak"
// CHECK:        actor input @x time 0 mean 0 makes(1) : () -> !dataflow.token<2>
// CHECK:        actor slice @c0.h on @c0 time 42 mean 38 {{.*}} : (!dataflow.token<2>) -> !dataflow.token<1>
// CHECK:        actor slice @c1.o on @c1 time 32 mean 25 {{.*}} : (!dataflow.token<1>) -> !dataflow.token<1>
// CHECK:        actor send @x.send.0_0 time 3 mean 3
// CHECK:        actor send @c0.h.send.1_0 time 2 mean 2
// CHECK:        actor send @c1.o.send.host time 2 mean 1
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 4, fanin = "digital", max_delay = 3), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
  snn.network @toy dt 0.001 {
    %x = snn.input @x activity <10 steps, 20 spikes, peak 2, #snn.tensor<"x.counts", 3xi64, [10, 10, 0]>> : !snn.signal<3, spike>
    %a = snn.dense %x weights #snn.tensor<"a", 3x3xf32, [1.0, 0.5, 0.0, 0.0, 1.0, 0.5, 0.0, 0.0, 1.0]> : !snn.signal<3, spike> -> !snn.signal<3, f64>
    %h = snn.if @h(%a) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> activity <10 steps, 5 spikes, peak 1, #snn.tensor<"h.counts", 3xi64, [5, 0, 0]>> : !snn.signal<3, spike>
    %b = snn.dense %h weights #snn.tensor<"b", 2x3xf32, [1.0, 1.0, 0.0, 0.0, 1.0, 1.0]> delay 1 : !snn.signal<3, spike> -> !snn.signal<2, f64>
    %o = snn.if @o(%b) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> activity <10 steps, 1 spikes, peak 1, #snn.tensor<"o.counts", 2xi64, [1, 0]>> : !snn.signal<2, spike>
    snn.output @y %o : !snn.signal<2, spike>
  }
}

// -----

// Six inputs on four rows. The partial slice: 10 + 2*4 + 3*1 = 21. The one that adds it: 10 + 2*2 + 3*1 + add 1*2 + 5*2 +
// 7*2 = 43. Two flows share the host's inject link, so each may find it taken every other flit: 2 * (6 + 1) flit times to
// send. The partial sum has two values, so 3 flits, and shares the eject link of tile [0, 0] with the input: 2 * 3. What is
// left of the ways: that eject link, 2; a mesh link, its hop and an eject link, 1 + 4 + 1; inject, mesh, hop: 6. On average
// too, a flow has as many flits to pass as another that has no fewer.
// CHECK-LABEL: dataflow.graph of @split unit "ns" activity "worst"
// WORST-LABEL: dataflow.graph of @split unit "ns" activity "worst"
// CHECK:        actor slice @c0.h on @c0 time 21 mean 21 {{.*}} -> !dataflow.token<2>
// CHECK:        actor slice @c1.h on @c1 time 43 mean 43 reads(%{{.*}}[1] capacity 2, %{{.*}}[1] capacity 2)
// CHECK:        actor send @x.send.0_0 time 14 mean 14
// CHECK:        actor send @x.send.1_0 time 14 mean 14
// CHECK:        actor send @c0.h.send.0_0 time 6 mean 6
// CHECK:        actor carry @x.carry.0_0 time 2 mean 1 concurrent
// CHECK:        actor carry @x.carry.1_0 time 6 mean 6 concurrent
// CHECK:        actor carry @c0.h.carry.0_0 time 6 mean 6 concurrent
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 4, fanin = "digital", max_delay = 3), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
  snn.network @split dt 0.001 {
    %x = snn.input @x : !snn.signal<6, spike>
    %a = snn.dense %x weights #snn.tensor<"a", 2x6xf32, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]> : !snn.signal<6, spike> -> !snn.signal<2, f64>
    %h = snn.if @h(%a) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
    snn.output @y %h : !snn.signal<2, spike>
  }
}

// -----

// The input buffer of @c0 holds one token of three spikes, not two: space for one.
// CHECK-LABEL: dataflow.graph of @toy
// WORST-LABEL: dataflow.graph of @toy
// CHECK:        @c0.h {{.*}} reads(%{{.*}}[1] capacity 1)
// CHECK:        @c1.o {{.*}} reads(%{{.*}}[1] capacity 1)
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 4, columns = 4, weight_bits = 4, fanin = "digital", max_delay = 3), buffers(events = 5), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 10, event = 2, convert = 3, columns_per_adc = 2, add = 1, update = 5, spike = 7)>} {
  snn.network @toy dt 0.001 {
    %x = snn.input @x : !snn.signal<3, spike>
    %a = snn.dense %x weights #snn.tensor<"a", 3x3xf32, [1.0, 0.5, 0.0, 0.0, 1.0, 0.5, 0.0, 0.0, 1.0]> : !snn.signal<3, spike> -> !snn.signal<3, f64>
    %h = snn.if @h(%a) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<3, spike>
    %b = snn.dense %h weights #snn.tensor<"b", 2x3xf32, [1.0, 1.0, 0.0, 0.0, 1.0, 1.0]> : !snn.signal<3, spike> -> !snn.signal<2, f64>
    %o = snn.if @o(%b) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2, spike>
    snn.output @y %o : !snn.signal<2, spike>
  }
}
