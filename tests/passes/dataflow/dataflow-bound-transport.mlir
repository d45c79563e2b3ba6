// RUN: snn-opt %s -p cluster-route,convert-cluster-to-dataflow,dataflow-schedule,dataflow-bound-transport,dataflow-analyze-throughput --split-input-file | filecheck %s
// RUN: snn-opt %s -p 'cluster-route,convert-cluster-to-dataflow,dataflow-schedule,dataflow-bound-transport{pairs=8},dataflow-analyze-throughput' --split-input-file | filecheck %s
// RUN: snn-opt %s -p 'cluster-route,convert-cluster-to-dataflow,dataflow-schedule,dataflow-bound-transport{pairs=7},dataflow-analyze-throughput' --split-input-file | filecheck %s --check-prefix=FEW
// RUN: snn-opt %s -p 'cluster-route,convert-cluster-to-dataflow,dataflow-schedule,dataflow-bound-transport{pairs=3},dataflow-analyze-throughput' --split-input-file | filecheck %s --check-prefix=FEW
// RUN: snn-opt %s -p cluster-route,convert-cluster-to-dataflow,dataflow-schedule,dataflow-bound-transport --split-input-file --statistics 2>&1 | filecheck %s --check-prefix=COUNT

// @b takes 100 + 25 * 8, and no bound of transport makes that less. Only the expected times are those of the schedule.
// CHECK:      dataflow.graph of @line unit "ns" activity "worst" period 300
// CHECK-NOT:    after
// CHECK:        actor send @x.send.1_0 time 10 mean 5
// CHECK:        actor carry @c0.a.carry.1_0 time 7 mean 6 concurrent
// CHECK-NOT:    after
// FEW:        dataflow.graph of @line unit "ns" activity "worst" period 300
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 1), crossbar(rows = 8, columns = 4, max_delay = 3), buffers(events = 64), link(flit = 1, hop_x = 4, hop_y = 6), time(unit = "ns", read = 100, event = 25)>} {
  snn.network @line dt 0.001 {
    %x = snn.input @x : !snn.signal<4, spike>
    %w = snn.input @w : !snn.signal<4, spike>
    %s = snn.scale %w by 1.0 : !snn.signal<4, spike> -> !snn.signal<4, f64>
    %a = snn.if @a(%s) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<4, spike>
    %t = snn.scale %x by 1.0 : !snn.signal<4, spike> -> !snn.signal<4, f64>
    %u = snn.scale %a by 1.0 : !snn.signal<4, spike> -> !snn.signal<4, f64>
    %b = snn.if @b(%t, %u) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<4, spike>
    snn.output @y %b : !snn.signal<4, spike>
  }
  cluster.program of @line {
    %x = cluster.input @x : !snn.signal<4, spike>
    %w = cluster.input @w : !snn.signal<4, spike>
    %a = cluster.cluster @c0 axons(%w[0:4]) slices(neurons @a[0:4] rows [0:4] column 0) at [0, 0] crossbar 0 : (!snn.signal<4, spike>) -> !snn.signal<4, spike>
    %b = cluster.cluster @c1 axons(%x[0:4], %a[0:4]) slices(neurons @b[0:4] rows [0:8] column 0) at [1, 0] crossbar 0 : (!snn.signal<4, spike>, !snn.signal<4, spike>) -> !snn.signal<4, spike>
    cluster.output @y(%b) : !snn.signal<4, spike>
  }
}

// -----

// Faster slices, and @a and @b wait for each other, a step later. A token is five flits on three links: 5 + 2 flit times and a hop of 4, 11
// alone. Both other flows share two links with one of these: with round-robin alone, two flit times each, 10 + 7.
// @x has space for two tokens at @c1: when @a sends token k, token k + 1 of @x has arrived, and k + 2 is not made before
// token k of @a is used. So nothing is in its way: 11. What @b sends to the host goes together with what it sends to @a,
// the one of a step before has arrived: 5 more, 16. An iteration is 10 + 11 + 10 + 16, not 10 + 17 + 10 + 17.
// CHECK:      dataflow.graph of @ring unit "ns" activity "worst" period 47 latency 102 predicted 46
// CHECK:        actor send @x.send.1_0 time 10 mean 5
// CHECK:        actor send @c0.a.send.1_0 time 0 mean 5
// CHECK:        actor send @c1.b.send.0_0 time 0 mean 9
// CHECK:        actor send @c1.b.send.host time 10 mean 9
// CHECK:        actor carry @x.carry.1_0 time 7 mean 6 concurrent reads({{[^{]*}}:
// CHECK:        actor carry @c0.a.carry.1_0 time 11 mean 6 reads({{.*}} {after = {{\[\[}}@x.carry.1_0, -1 : i64]]}
// CHECK:        actor carry @c1.b.carry.0_0 time 16 mean 6 reads({{.*}} {after = {{\[\[}}@c1.b.carry.host, 1 : i64]]}
// CHECK:        actor carry @c1.b.carry.host time 7 mean 6 concurrent reads({{[^{]*}}:

// Each of the four ways has another flow on two links, which makes eight pairs. Four are on the first or last link of a way.
// FEW:        dataflow.graph of @ring unit "ns" activity "worst" period 54 latency 54 predicted 52
// FEW-NOT:      after
// FEW:          actor carry @c0.a.carry.1_0 time 7 mean 6 concurrent
// FEW-NOT:      after
// COUNT:      2 ways with a deadline
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
    %x = cluster.input @x : !snn.signal<4, spike>
    %a = cluster.cluster @c0 axons(%b[0:4] delay 1) slices(neurons @a[0:4] rows [0:4] column 0) at [0, 0] crossbar 0 : (!snn.signal<4, spike>) -> !snn.signal<4, spike>
    %b = cluster.cluster @c1 axons(%x[0:4], %a[0:4]) slices(neurons @b[0:4] rows [0:8] column 0) at [1, 0] crossbar 0 : (!snn.signal<4, spike>, !snn.signal<4, spike>) -> !snn.signal<4, spike>
    cluster.output @y(%b) : !snn.signal<4, spike>
  }
}
