// RUN: snn-opt %s -p dataflow-simulate --split-input-file | filecheck %s
// RUN: snn-opt %s -p "dataflow-simulate{load=mean iterations=50}" --split-input-file | filecheck %s --check-prefix=MEAN
// RUN: not snn-opt %s -p "dataflow-simulate{iterations=3}" --split-input-file 2>&1 | filecheck %s --check-prefix=FEW

// FEW: 3 iterations measure nothing

// CHECK: dataflow.graph of @toy unit "ns" activity "worst" simulated 50
// MEAN:  dataflow.graph of @toy unit "ns" activity "worst" simulated 30
builtin.module {
  dataflow.graph of @toy unit "ns" activity "worst" {
    %x = dataflow.actor input @x time 0 mean 0 makes(1) : () -> !dataflow.token<1>
    %a = dataflow.actor slice @a on @c0 time 30 mean 20 reads(%x[1] capacity 2, %b[1] tokens 1 capacity 3) makes(1) : (!dataflow.token<1>, !dataflow.token<1>) -> !dataflow.token<1>
    %b = dataflow.actor slice @b on @c1 time 20 mean 10 reads(%a[1] capacity 2) makes(1) : (!dataflow.token<1>) -> !dataflow.token<1>
    dataflow.actor output @y time 0 mean 0 reads(%b[1] capacity 2) : (!dataflow.token<1>) -> ()
  }
}

// -----

// CHECK: simulated 30
// MEAN:  simulated 20
builtin.module {
  dataflow.graph of @toy unit "ns" activity "worst" {
    %x = dataflow.actor input @x time 0 mean 0 makes(1) : () -> !dataflow.token<1>
    %a = dataflow.actor slice @a on @c0 time 30 mean 20 reads(%x[1] capacity 2, %b[1] tokens 3 capacity 5) makes(1) : (!dataflow.token<1>, !dataflow.token<1>) -> !dataflow.token<1>
    %b = dataflow.actor slice @b on @c1 time 20 mean 10 reads(%a[1] capacity 2) makes(1) : (!dataflow.token<1>) -> !dataflow.token<1>
    dataflow.actor output @y time 0 mean 0 reads(%b[1] capacity 2) : (!dataflow.token<1>) -> ()
  }
}
