#pragma once

#include <cstddef>
#include <vector>

namespace bench {

/// CPUs this process may use, ascending.
std::vector<int> allowed_cpus();

/// Keeps the calling thread, and every thread it starts later, on `cpu`. Returns whether that
/// worked.
bool pin_to(int cpu);

/// Raises the limit on descriptors to the hard limit and returns it.
std::size_t raise_descriptor_limit();

}  // namespace bench
