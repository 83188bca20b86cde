// What applications see of events and commands in logs and in CAF's own reports.

#include "taps/taps.hpp"

#include <caf/deep_to_string.hpp>
#include <caf/make_message.hpp>
#include <gtest/gtest.h>

using namespace taps;

namespace {

template<class T>
std::string print(const T& x) {
  return caf::to_string(caf::make_message(x));
}

bool contains(const std::string& text, std::string_view what) {
  return text.find(what) != std::string::npos;
}

}  // namespace

TEST(printing, events_say_their_state_and_why) {
  EXPECT_TRUE(contains(caf::deep_to_string(ready{}), "ready(")) << caf::deep_to_string(ready{});
  EXPECT_TRUE(contains(caf::deep_to_string(sent{}), "Established")) << caf::deep_to_string(sent{});
  EXPECT_TRUE(contains(caf::deep_to_string(closed{}), "Closed")) << caf::deep_to_string(closed{});
  connection_error x;
  x.reason = {errc::local_abort, "enough of it"};
  const auto text = caf::deep_to_string(x);
  EXPECT_TRUE(contains(text, "Closed")) << text;
  EXPECT_TRUE(contains(text, "enough of it")) << text;
}

TEST(printing, sets_of_events) {
  EXPECT_EQ(to_string(event_set::none), "none");
  EXPECT_EQ(to_string(event_set::all), "sent|soft_error|path_change");
  EXPECT_TRUE(contains(print(observe_command{event_set::sent | event_set::path_change}),
                       "sent|path_change"));
}

TEST(printing, nothing_is_unprintable) {
  message_context context;
  const property_list properties{{{"connState", connection_state::closing}, {"priority", {}}}};
  const error why{errc::timeout, "too slow"};
  establishment_report report;
  report.candidates.emplace_back();
  report.names.emplace_back();
  const auto data = slice::copy_of("data");
  const connection_state state = connection_state::established;
  for (const auto& text : {
           print(ready{{}, state, report}),
           print(establishment_error{{}, {}, why, report}),
           print(connection_received{{}, {}, state}),
           print(stopped{}),
           print(clone_error{{}, state, why}),
           print(sent{{}, state, context}),
           print(expired{{}, state, context}),
           print(send_error{{}, state, context, why}),
           print(received{{}, state, data, context}),
           print(received_partial{{}, state, data, context, true}),
           print(receive_error{{}, state, context, why}),
           print(soft_error{{}, state, why}),
           print(path_change{{}, state}),
           print(closed{{}, state, properties}),
           print(connection_error{{}, state, why, properties}),
           print(send_command{data, context, true, true}),
           print(receive_command{}),
           print(set_property_command{"connPriority", property_value{}}),
           print(observe_command{}),
           print(properties),
           caf::deep_to_string(report.candidates[0]),
       }) {
    EXPECT_FALSE(contains(text, "unprintable")) << text;
  }
}
