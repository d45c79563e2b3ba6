// RUN: snn-opt %s -p "snn-quantize" --statistics 2>&1 | filecheck %s
// RUN: snn-opt %s -p "snn-quantize,snn-quantize" --statistics 2>&1 | filecheck %s --check-prefix=AGAIN

// All that a neuron reads has one scale, here each channel. The identity beside a convolution is rounded like its weights:
// in channel 0, where these are integers times 2 but for one, it is half a unit and lost (as is the other weight of 1.0);
// in channel 1 it is the largest, and 0.3 becomes 2 sevenths.
// CHECK: snn.conv1d %x weights #snn.tensor<"k", 2x2x1xi8, [7, 0, 2, 0]> scale #snn.tensor<"k.scale", 2xf64, [2.0, 0.14285714285714285]>
// CHECK: snn.scale %x by #snn.tensor<"a.weight1", 4xi8, [0, 0, 7, 7]> scale #snn.tensor<"a.weight1.scale", 4xf64, [2.0, 2.0, 0.14285714285714285, 0.14285714285714285]> :
// A pool that averages becomes one that sums, and the scale divides; weights that are integers stay.
// CHECK: %[[P:.*]] = snn.sum_pool %a kernel [2]
// CHECK: snn.conv1d %[[P]] weights #snn.tensor<"l", 1x2x1xi8, [6, -4]> scale 0.25 :
// Sums of spikes by themselves have weights of 1.
// CHECK: %[[Q:.*]] = snn.sum_pool %a kernel [2]
// CHECK: snn.if @c(%[[Q]])
// Two projections in a row become single synapses.
// CHECK: snn.sparse %a weights #snn.tensor<"d.weight", 4xi8, [4, 4, 0, 0]> from {{.*}} scale 0.125 :
// CHECK: 1 projections into @d made single synapses
// CHECK: 1 signals into @a given weights
// CHECK: 4 weights of @a changed
// AGAIN: snn.conv1d %x weights #snn.tensor<"k", 2x2x1xi8, [7, 0, 2, 0]> scale
// AGAIN: 0 weights of @a changed
builtin.module attributes {platform.machine = #platform.machine<"toy", tiles(mesh = [2, 1], crossbars = 8), crossbar(rows = 16, columns = 16, weight_bits = 4, fanin = "digital"), buffers(events = 64), time(unit = "ns", read = 10)>} {
  snn.network @columns dt 0.001 {
    %x = snn.input @x : !snn.signal<2x2, spike>
    %k = snn.conv1d %x weights #snn.tensor<"k", 2x2x1xf64, [14.0, 1.0, 0.3, 0.0]> : !snn.signal<2x2, spike> -> !snn.signal<2x2, f64>
    %i = snn.add %k, %x : (!snn.signal<2x2, f64>, !snn.signal<2x2, spike>) -> !snn.signal<2x2, f64>
    %a = snn.if @a(%i) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2x2, spike>
    %p = snn.avg_pool %a kernel [2] : !snn.signal<2x2, spike> -> !snn.signal<2x1, f64>
    %l = snn.conv1d %p weights #snn.tensor<"l", 1x2x1xf64, [3.0, -2.0]> : !snn.signal<2x1, f64> -> !snn.signal<1x1, f64>
    %b = snn.if @b(%l) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<1x1, spike>
    %q = snn.sum_pool %a kernel [2] : !snn.signal<2x2, spike> -> !snn.signal<2x1, f64>
    %c = snn.if @c(%q) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<2x1, spike>
    %h = snn.scale %a by 0.5 : !snn.signal<2x2, spike> -> !snn.signal<2x2, f64>
    %s = snn.dense %h weights #snn.tensor<"d", 1x4xf64, [1.0, 1.0, 0.0, 0.0]> : !snn.signal<2x2, f64> -> !snn.signal<1, f64>
    %d = snn.if @d(%s) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir> : !snn.signal<1, spike>
    snn.output @y %b : !snn.signal<1x1, spike>
    snn.output @z %c : !snn.signal<2x1, spike>
    snn.output @w %d : !snn.signal<1, spike>
  }
}
