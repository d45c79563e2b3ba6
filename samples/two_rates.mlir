// A graph in which a token is a spike: the source makes three tokens in a firing, the sink takes two. An iteration has
// two firings of the source and three of the sink, each of which waits for the one before.
//
// RUN: snn-opt %s --pass-pipeline="builtin.module(dataflow-analyze-throughput)" | filecheck %s

// CHECK: dataflow.graph of @two_rates unit "ns" activity "worst" period 20 latency 28 {{.*}} critical [@source]
dataflow.graph of @two_rates unit "ns" activity "worst" {
  %spikes = dataflow.actor input @source time 10 mean 10 makes(3) : () -> !dataflow.token<1>
  dataflow.actor output @sink time 4 mean 4 reads(%spikes[2] capacity 8) : (!dataflow.token<1>) -> ()
}
