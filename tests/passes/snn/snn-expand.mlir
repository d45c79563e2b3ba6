// RUN: snn-opt %s -p "snn-expand{mode=pairs rows=4}" --statistics 2>&1 | filecheck %s
// RUN: snn-opt %s -p "snn-expand" | filecheck %s --check-prefix=NOTHING
// RUN: snn-opt %s -p "snn-expand{mode=pairs rows=6}" | filecheck %s --check-prefix=NOTHING
// RUN: not snn-opt %s -p "snn-expand{mode=pairs rows=3}" 2>&1 | filecheck %s --check-prefix=FEW
// RUN: not snn-opt %s -p "snn-expand{mode=pairs}" 2>&1 | filecheck %s --check-prefix=FEW

// FEW:         error: how many rows, 4 or more?
// NOTHING-NOT: part

// Six inputs, four rows: two parts, each a pair of what its sum has above and below 0; @h reads the differences.
// CHECK:      %[[A:.*]] = snn.slice %x [0:3]
// CHECK:      %[[B:.*]] = snn.dense %[[A]] weights #snn.tensor<"h_part0.weight", 1x3xf64, [1.0, 2.0, 3.0]>
// CHECK:      %[[C:.*]] = snn.dense %[[A]] weights #snn.tensor<"h_part0.weight", 1x3xf64, [-1.0, -2.0, -3.0]>
// CHECK:      %[[P:.*]] = snn.relu @h_part0_plus(%[[B]])
// CHECK:      %[[M:.*]] = snn.relu @h_part0_minus(%[[C]])
// CHECK:      snn.relu @h_part1_plus
// CHECK:      snn.relu @h_part1_minus
// CHECK:      %[[D:.*]] = snn.scale %[[P]] by 1.0 bias #snn.tensor<"h.bias", 1xf64, [0.5]>
// CHECK:      %[[E:.*]] = snn.scale %[[M]] by -1.0
// CHECK:      snn.relu @h(%[[D]], %[[E]], %{{.*}}, %{{.*}})
// CHECK:      1 levels of sums, most
// CHECK:      4 neurons for partial sums
// CHECK:      1 populations expanded
builtin.module {
  snn.network @toy dt 0.001 steps 1 {
    %x = snn.input @x : !snn.signal<6, f64>
    %a = snn.dense %x weights #snn.tensor<"a", 1x6xf64, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]> bias #snn.tensor<"b", 1xf64, [0.5]> : !snn.signal<6, f64> -> !snn.signal<1, f64>
    %h = snn.relu @h(%a) : !snn.signal<1, f64>
    snn.output @y %h : !snn.signal<1, f64>
  }
}
