// The peer of benchmarks/maxplus.py: Boost's Howard algorithm (boost/graph/howard_cycle_ratio.hpp).
//
//     g++ -O3 -o howard howard.cpp && ./howard FILE csr|list
//
// FILE holds 64-bit integers: nodes, edges, then the sources, targets, times and tokens of all edges. The answer is one
// line: processor seconds for building the graph and for solving, the time and the tokens of the cycle found, the ratio
// as a decimal number, and the peak memory in KiB. Two things have to be known of Boost's function: its default
// tolerance of 0.005 is too coarse for integer ratios that are close to each other, so it gets traits with 1e-9; and it
// gives up after 100 iterations without saying so, which cannot be changed from outside.

#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/compressed_sparse_row_graph.hpp>
#include <boost/graph/howard_cycle_ratio.hpp>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <limits>
#include <string>
#include <utility>
#include <vector>

struct Traits {
    typedef double value_type;
    static double infinity() { return std::numeric_limits<double>::infinity(); }
    static double epsilon() { return -1e-9; }
};

struct Weights {
    double time, tokens;
};

typedef boost::compressed_sparse_row_graph<boost::directedS, boost::no_property, Weights, boost::no_property, int, int>
    Rows;
typedef boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS, boost::no_property, Weights> Lists;

static double seconds() {
    timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec + 1e-9 * now.tv_nsec;
}

// The peak memory of this program in KiB; getrusage would count what the process was before it became this program.
static long peak() {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
        if (word == "VmHWM:") {
            long kib = 0;
            status >> kib;
            return kib;
        }
    }
    return 0;
}

template <typename Graph>
static void solve(const Graph& graph, double began) {
    const double built = seconds();
    std::vector<typename boost::graph_traits<Graph>::edge_descriptor> cycle;
    const double ratio = boost::maximum_cycle_ratio(graph, get(boost::vertex_index, graph), get(&Weights::time, graph),
                                                    get(&Weights::tokens, graph), &cycle, Traits());
    const double solved = seconds();
    double time = 0, tokens = 0;
    for (const auto& edge : cycle) {
        time += graph[edge].time;
        tokens += graph[edge].tokens;
    }
    std::printf("%.6f %.6f %.0f %.0f %.17g %ld\n", built - began, solved - built, time, tokens, ratio, peak());
}

static std::vector<int64_t> column(std::FILE* file, int64_t count) {
    std::vector<int64_t> values(count);
    if (std::fread(values.data(), sizeof(int64_t), count, file) != static_cast<std::size_t>(count)) std::exit(1);
    return values;
}

int main(int count, char** words) {
    if (count != 3) return 2;
    std::FILE* file = std::fopen(words[1], "rb");
    if (!file) return 1;
    const int64_t nodes = column(file, 1)[0], edges = column(file, 1)[0];
    const std::vector<int64_t> source = column(file, edges), target = column(file, edges);
    const std::vector<int64_t> time = column(file, edges), tokens = column(file, edges);
    std::fclose(file);
    const double began = seconds();
    std::vector<std::pair<int, int>> ends(edges);
    std::vector<Weights> weights(edges);
    for (int64_t edge = 0; edge < edges; ++edge) {
        ends[edge] = {static_cast<int>(source[edge]), static_cast<int>(target[edge])};
        weights[edge] = {static_cast<double>(time[edge]), static_cast<double>(tokens[edge])};
    }
    if (std::strcmp(words[2], "csr") == 0) {
        solve(Rows(boost::edges_are_unsorted_multi_pass, ends.begin(), ends.end(), weights.begin(), nodes), began);
    } else {
        solve(Lists(ends.begin(), ends.end(), weights.begin(), nodes), began);
    }
}
