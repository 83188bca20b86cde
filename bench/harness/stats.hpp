#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace bench {

/// Median and spread of one row's rounds.
struct summary {
  double low = 0;
  double median = 0;
  double high = 0;
  /// Half the distance between the quartiles: how far a usual round is from the median.
  double usual_deviation = 0;
};

/// Value at `fraction` (0 to 1) of the sorted, non-empty `xs`, interpolated.
inline double quantile(const std::vector<double>& xs, double fraction) {
  auto at = fraction * static_cast<double>(xs.size() - 1);
  auto below = static_cast<std::size_t>(at);
  auto above = std::min(below + 1, xs.size() - 1);
  return xs[below] + (xs[above] - xs[below]) * (at - static_cast<double>(below));
}

/// Sums up `xs`, which must not be empty.
inline summary summarize(std::vector<double> xs) {
  std::sort(xs.begin(), xs.end());
  return {.low = xs.front(),
          .median = quantile(xs, 0.5),
          .high = xs.back(),
          .usual_deviation = (quantile(xs, 0.75) - quantile(xs, 0.25)) / 2};
}

}  // namespace bench
