#include "taps/actors/meeting_ends.hpp"

#include <algorithm>

namespace taps {

/// One local end.
struct meeting_ends::end final : meeting_sink {
  end(meeting_ends& all, std::size_t number) noexcept : owner(all), base(number) {}

  void on_check(const socket_address& from, std::span<const std::byte> data) override {
    owner.to_.on_check({base, from}, data);
  }
  void on_called(std::unique_ptr<protocol> instance) override;

  meeting_ends& owner;
  std::size_t base;
  std::unique_ptr<meeting> place;
};

/// An instance that may be the one, and until then says only how it fares.
struct meeting_ends::attempt final : protocol_sink {
  attempt(meeting_ends& all, const meeting_pair& who) noexcept : owner(all), pair(who) {}

  void on_ready() override {
    if (is_current())
      owner.to_.on_open(pair);
  }
  void on_writable() override {}
  void on_data(slice, const inbound_info&) override {}
  void on_inbound_stream(std::unique_ptr<protocol>) override {}
  void on_soft_error(error) override {}
  void on_path_change() override {}
  void on_closed() override { on_failed({errc::connection_aborted, "closed by the peer"}); }
  void on_failed(error reason) override {
    if (!is_current())
      return;
    const auto who = pair;
    auto& listener = owner.to_;
    owner.hang_up(who);
    listener.on_broken(who, std::move(reason));
  }

  /// Not hung up yet: another one may have taken its place.
  [[nodiscard]] bool is_current() const {
    const auto i = owner.attempts_.find(pair);
    return i != owner.attempts_.end() && i->second.get() == this;
  }

  meeting_ends& owner;
  meeting_pair pair;
  std::unique_ptr<protocol> instance;
};

void meeting_ends::end::on_called(std::unique_ptr<protocol> instance) {
  const meeting_pair from{base, instance->remote()};
  auto made = std::make_unique<attempt>(owner, from);
  instance->set_sink(*made);
  made->instance = std::move(instance);
  owner.hang_up(from);
  owner.attempts_.emplace(from, std::move(made));
  owner.to_.on_called(from);
}

meeting_ends::meeting_ends(meeting_listener& to) noexcept : to_(to) {}

meeting_ends::~meeting_ends() = default;

result<void> meeting_ends::open(transport& by, const std::vector<meeting_base>& bases,
                                const std::shared_ptr<const transport_properties>& properties,
                                std::optional<std::uint8_t> hop_limit,
                                std::vector<meeting_pair>& pairs) {
  error why;
  for (std::size_t i = 0; i < bases.size(); ++i) {
    places_.push_back(bases[i].address);
    auto& made = *ends_.emplace_back(std::make_unique<end>(*this, i));
    if (std::ranges::none_of(pairs, [i](const meeting_pair& x) { return x.base == i; }))
      continue;
    auto place = by.meet({bases[i].address, bases[i].interface, properties, hop_limit}, made);
    if (!place) {
      why = place.failure();
      continue;
    }
    made.place = std::move(*place);
    places_.back() = made.place->local();
  }
  std::erase_if(pairs, [&](const meeting_pair& x) {
    return !ends_[x.base]->place || same_place(places_[x.base], x.remote);
  });
  if (!pairs.empty())
    return {};
  return why ? why : error{errc::no_candidates, "Rendezvous: the peer has our own address"};
}

void meeting_ends::send_check(const meeting_pair& to, std::span<const std::byte> data) {
  ends_[to.base]->place->send_check(to.remote, data);
}

result<void> meeting_ends::call(const meeting_pair& pair) {
  auto made = std::make_unique<attempt>(*this, pair);
  auto instance = ends_[pair.base]->place->call(pair.remote, *made);
  if (!instance)
    return instance.failure();
  made->instance = std::move(*instance);
  attempts_.insert_or_assign(pair, std::move(made));
  return {};
}

void meeting_ends::hang_up(const meeting_pair& pair) {
  if (auto found = attempts_.extract(pair))
    over_.push_back(std::move(found.mapped()));
}

result<std::unique_ptr<protocol>> meeting_ends::take(const meeting_pair& pair,
                                                     protocol_sink& sink) {
  const auto i = attempts_.find(pair);
  if (i == attempts_.end())
    return ends_[pair.base]->place->call(pair.remote, sink);
  return std::move(i->second->instance);
}

void meeting_ends::clean_up() noexcept { over_.clear(); }

void meeting_ends::close() noexcept {
  over_.clear();
  attempts_.clear();
  ends_.clear();
}

}  // namespace taps
