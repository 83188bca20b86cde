// Services by name, by the public API in virtual time: what records of DNS make of them. One way
// takes 10 ms, and names are answered at once unless a test says otherwise.

#include "taps/tests/simulation/support/example_host.hpp"

using namespace taps;
using namespace taps::testing;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace {

constexpr auto chat = "_chat._sim_stream.example.test";

service_record at(std::string target, std::uint16_t port, std::uint16_t priority = 1) {
  return {priority, 0, port, std::move(target)};
}

/// `example.test`, where port 80 is that of two services.
class services : public example_host {
protected:
  services() {
    sim.names().add_service("chat", 80);
    sim.names().add_service("https", 80);
    sim.names().add("one.test", {"2001:db8::11"});
    sim.names().add("two.test", {"2001:db8::22"});
    for (const auto* x : {v4, v6, "[2001:db8::11]:5222", "[2001:db8::22]:5223"})
      sim.network().accept(x);
  }

  void initiate_service(std::string_view service) {
    initiate(sim.services().preconnection(
                 remote_endpoint{}.with_hostname("example.test").with_service(service),
                 reliable_inorder_stream(), security_parameters::disabled()),
             owner);
    sim.run_until_idle();
  }

  /// Where attempts went, in their order.
  std::vector<std::string> tried() {
    std::vector<std::string> all;
    for (const auto& x : sim.network().attempts())
      all.push_back(to_string(x.remote));
    return all;
  }

  std::vector<std::string> asked() {
    std::vector<std::string> all;
    for (const auto& x : sim.names().queries())
      all.push_back(x.hostname + " " + std::string{to_string(x.record)});
    return all;
  }
};

}  // namespace

// -- SRV ------------------------------------------------------------------------------------------

TEST_F(services, are_where_records_say) {
  sim.names().add_records(chat, dns_record::srv, {at("two.test", 5223, 2), at("one.test", 5222)});
  initiate_service("chat");
  EXPECT_THAT(owner.lines(), ElementsAre("0.020 ready c1 1.1.1 sim_stream [2001:db8::11]:5222"));
  EXPECT_THAT(asked(), ElementsAre(HasSubstr("_chat._sim_stream.example.test SRV"),
                                   "example.test AAAA", "example.test A", "one.test AAAA",
                                   "one.test A", "two.test AAAA", "two.test A"));
}

TEST_F(services, go_on_to_the_next_place_when_one_fails) {
  sim.names().add_records(chat, dns_record::srv, {at("two.test", 5223, 2), at("one.test", 5222)});
  sim.network().refuse("[2001:db8::11]:5222");
  initiate_service("chat");
  EXPECT_THAT(tried(), ElementsAre("[2001:db8::11]:5222", "[2001:db8::22]:5223"));
  EXPECT_EQ(owner.count<ready>(), 1u);
}

TEST_F(services, EP_05_without_records_are_at_their_port) {
  initiate_service("chat");
  EXPECT_THAT(owner.lines(), ElementsAre("0.020 ready c1 1.1.1 sim_stream [2001:db8::1]:80"));
}

TEST_F(services, wait_for_records_no_longer_than_the_resolution_delay) {
  sim.names().silence(chat, dns_record::srv);
  initiate_service("chat");
  EXPECT_THAT(owner.lines(), ElementsAre("0.070 ready c1 1.1.1 sim_stream [2001:db8::1]:80"));
}

TEST_F(services, whose_records_come_late_are_still_found) {
  sim.names().add_records(chat, dns_record::srv, {at("one.test", 5222)}, 100ms);
  sim.network().black_hole(v6);
  sim.network().black_hole(v4);
  initiate_service("chat");
  EXPECT_THAT(tried(), ElementsAre(v6, "[2001:db8::11]:5222"));
  EXPECT_EQ(owner.count<ready>(), 1u);
}

TEST_F(services, that_no_table_knows_have_only_records) {
  sim.names().add_records("_rare._sim_stream.example.test", dns_record::srv, {at("one.test", 5222)},
                          200ms);
  initiate_service("rare");
  EXPECT_THAT(owner.lines(), ElementsAre("0.220 ready c1 1.1.1 sim_stream [2001:db8::11]:5222"));
}

TEST_F(services, EP_05_that_nobody_knows_are_resolution_failed) {
  initiate_service("rare");
  ASSERT_EQ(owner.count<establishment_error>(), 1u);
  EXPECT_THAT(owner.last<establishment_error>()->reason.text(),
              HasSubstr("_rare._sim_stream.example.test: SRV: no record"));
}

TEST_F(services, may_be_named_as_in_dns) {
  sim.names().add_records(chat, dns_record::srv, {at("one.test", 5222)});
  initiate_service("_chat._sim_stream");
  EXPECT_THAT(tried(), ElementsAre("[2001:db8::11]:5222"));
}

TEST_F(services, of_an_endpoint_with_a_port_are_there) {
  sim.names().add_records(chat, dns_record::srv, {at("one.test", 5222)});
  initiate(sim.services().preconnection(
               remote_endpoint{}.with_hostname("example.test").with_service("chat").with_port(80),
               reliable_inorder_stream(), security_parameters::disabled()),
           owner);
  sim.run_until_idle();
  EXPECT_THAT(tried(), ElementsAre(v6));
}

// -- HTTPS ----------------------------------------------------------------------------------------

TEST_F(services, of_https_prefer_what_their_records_name) {
  auto place = at("one.test", 5222);
  place.alpn = {"h2"};
  sim.names().add_records("example.test", dns_record::https, {place});
  initiate_service("https");
  EXPECT_THAT(tried(), ElementsAre("[2001:db8::11]:5222"));
}

TEST_F(services, of_https_fall_back_to_the_host) {
  sim.names().add_records("example.test", dns_record::https, {at("one.test", 5222)});
  sim.network().refuse("[2001:db8::11]:5222");
  initiate_service("https");
  EXPECT_THAT(tried(), ElementsAre("[2001:db8::11]:5222", v6));
  EXPECT_EQ(owner.count<ready>(), 1u);
}

TEST_F(services, of_https_wait_for_records_no_longer_than_the_resolution_delay) {
  sim.names().silence("example.test", dns_record::https);
  initiate_service("https");
  EXPECT_THAT(owner.lines(), ElementsAre("0.070 ready c1 1.1.1 sim_stream [2001:db8::1]:80"));
}

TEST_F(services, of_https_at_another_port_are_asked_for_by_it) {
  initiate(sim.services().preconnection(
               remote_endpoint{}.with_hostname("example.test").with_service("https").with_port(80),
               reliable_inorder_stream(), security_parameters::disabled()),
           owner);
  sim.run_until_idle();
  EXPECT_THAT(asked(),
              ElementsAre("_80._https.example.test HTTPS", "example.test AAAA", "example.test A"));
}

TEST_F(services, hosts_without_a_service_are_not_asked_about_any) {
  initiate(sim.to("example.test", 443), owner);
  sim.settle();
  EXPECT_THAT(asked(), ElementsAre("example.test AAAA", "example.test A"));
}

// -- provisioning domains -------------------------------------------------------------------------

TEST_F(services, and_hosts_are_looked_for_where_the_domain_of_the_only_path_says) {
  const std::vector<interface_address> own{{*ip_address::parse("192.0.2.99"), 24}};
  sim.set_links({{{"eth0", 1, interface_type::wired, true, 1500, own},
                  {"tun0", 2, interface_type::tunnel, true, 1500, own}},
                 {},
                 {{"office", {"tun0"}, {*ip_address::parse("192.0.2.53")}}}});
  auto& office = sim.names().within("tun0");
  office.add("example.test", {"192.0.2.7"});
  sim.network().accept("192.0.2.7:80");
  const auto domain = interface_preferences{{preference::require, "office"}};
  initiate(sim.to("example.test", 80, reliable_inorder_stream().with(property_id::pvd, domain)),
           owner);
  sim.run_until_idle();
  EXPECT_THAT(tried(), ElementsAre("192.0.2.7:80"));
  EXPECT_EQ(office.queries().size(), 2u);
  EXPECT_THAT(asked(), IsEmpty());
}
