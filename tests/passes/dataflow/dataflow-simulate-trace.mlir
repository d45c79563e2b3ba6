// RUN: snn-opt %s -p "dataflow-simulate{iterations=4 trace=%t}" | filecheck %s --check-prefix=GRAPH
// RUN: filecheck %s < %t
// RUN: not snn-opt %s -p "dataflow-simulate{trace=%t/none/trace.csv}" 2>&1 | filecheck %s --check-prefix=NONE

// In round r @last fires for iteration r - 1. Round 0 is @first alone; then @first waits for as long as @last would take.
// GRAPH: dataflow.graph @path {{.*}} simulated
// NONE: trace.csv: Not a directory
// NONE-NEXT: fix: write the trace to a folder that exists
// CHECK:      actor,firing,start,end,resource
// CHECK-NEXT: first,0,0,10,c0
// CHECK-NEXT: between,0,10,40,
// CHECK-NEXT: first,1,20,30,c0
// CHECK-NEXT: between,1,40,70,
// CHECK-NEXT: last,0,40,50,c0
// CHECK-NEXT: first,2,50,60,c0
// CHECK-NEXT: between,2,70,100,
// CHECK-NEXT: last,1,70,80,c0
builtin.module {
  dataflow.graph @path activity "worst" {
    %a = dataflow.actor task @first on @c0 time 10 makes(1) : () -> !dataflow.token<1>
    %b = dataflow.actor task @between time 30 reads(%a[1] capacity 2) makes(1) : (!dataflow.token<1>) -> !dataflow.token<1>
    dataflow.actor task @last on @c0 time 10 reads(%b[1] capacity 2) : (!dataflow.token<1>) -> ()
    dataflow.order @c0 [@first, @last stage 1]
  }
}
