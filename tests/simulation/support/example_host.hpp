#pragma once

#include "taps/tests/support/simulation/simulation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

namespace taps::testing {

/// Port 80 of `example.test`. One way takes 10 ms.
inline constexpr auto v6 = "[2001:db8::1]:80";
inline constexpr auto v4 = "192.0.2.1:80";

/// A simulation in which `example.test` has an address of each family.
class example_world : public simulation {
public:
  explicit example_world(simulation_options options = {}) : simulation(std::move(options)) {
    names().add("example.test", {"2001:db8::1", "192.0.2.1"});
  }
};

/// Somebody who calls that host.
class example_host : public ::testing::Test {
protected:
  example_world sim;
  recorder& owner = sim.owner();
};

}  // namespace taps::testing
