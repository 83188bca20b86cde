// Events reach their owner in order, once, whichever way they take: called directly on the owner's
// own shard, or by mailbox from there, from another shard or to CAF's scheduler; and so do the
// owner's commands. Owners here do all that may get in the way of a direct call.

#include "taps/tests/conformance/support/fixture.hpp"

#include "taps/core/message/framers/length_prefix.hpp"

#include <future>
#include <iostream>
#include <map>
#include <random>
#include <thread>

using namespace taps;
using namespace taps::testing;
using namespace std::chrono_literals;

namespace {

enum class place { beside_its_connections, on_another_shard, in_cafs_scheduler };
enum class fate { finishes, quits, throws, is_killed };

constexpr const char* name_of(place x) {
  constexpr const char* names[] = {"pinned", "shards", "scheduled"};
  return names[static_cast<int>(x)];
}

constexpr const char* name_of(fate x) {
  constexpr const char* names[] = {"finishes", "quits", "throws", "is_killed"};
  return names[static_cast<int>(x)];
}

/// One of a foreign sender's numbered messages.
struct token {
  int sender;
  int number;
};

/// A numbered message of the owner to itself.
struct self_note {
  int number;
};

/// Ends a time of skipping.
struct wake_up {};

/// Asks the owner to look at what it got.
struct look_back {};

struct question {};

}  // namespace

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(token)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(self_note)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(wake_up)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(look_back)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(question)

namespace {

constexpr int num_connections = 6;
constexpr int num_messages = 200;
constexpr int num_senders = 2;
constexpr int num_tokens = 400;

/// What the test and the owner share.
struct record {
  std::mutex mutex;
  std::vector<std::string> wrong;
  std::promise<void> finished;
  std::atomic<int> messages{0};

  void blame(std::string text) {
    std::lock_guard guard{mutex};
    wrong.push_back(std::move(text));
  }
};

using record_ptr = std::shared_ptr<record>;

std::string number_text(int x) {
  std::string result(4, '\0');
  std::memcpy(result.data(), &x, 4);
  return result;
}

int number_of(std::string_view text) {
  int result = -1;
  if (text.size() == 4)
    std::memcpy(&result, text.data(), 4);
  return result;
}

/// An owner that checks the order of all that it gets while it misbehaves at random.
class owner_state {
public:
  owner_state(caf::event_based_actor* self, record_ptr what, caf::actor helper, unsigned seed,
              fate end)
      : self_(self), record_(std::move(what)), helper_(std::move(helper)), random_(seed), end_(end),
        last_(std::uniform_int_distribution{num_messages, 3 * num_messages}(random_)) {}

  caf::behavior normal() {
    return {
        [this](const ready& x) { return start(x.connection); },
        [this](const connection_received& x) { return start(x.connection); },
        [this](const received& x) -> caf::result<void> {
          if (skips(x.connection))
            return caf::skip;
          take(x);
          return caf::unit;
        },
        [this](const closed& x) -> caf::result<void> {
          if (skips(x.connection))
            return caf::skip;
          end(x.connection);
          return caf::unit;
        },
        [this](const receive_error& x) { expect_alive(x.connection, "receive_error"); },
        [this](const send_error& x) { expect_alive(x.connection, "send_error"); },
        [this](const connection_error& x) {
          record_->blame("connection_error: " + to_string(x.reason));
          end(x.connection);
        },
        [this](const establishment_error& x) { record_->blame(to_string(x.reason)); },
        [](const stopped&) {},
        [this](const token& x) { take(x); },
        [this](const self_note& x) { in_order(x.number, next_note_, "note"); },
        [this](const wake_up&) { wake(); },
        [this](const look_back&) { look(); },
    };
  }

  /// Everything but this is left to the default handler, which skips.
  caf::behavior deaf() {
    return {
        [this](const token& x) { take(x); },
        [this](const wake_up&) { wake(); },
    };
  }

private:
  struct per_connection {
    int next = 0;
    int replies = 0;
    bool ended = false;
    bool one_by_one = false;
  };

  caf::result<void> start(const connection& x) {
    if (skipping_)
      return caf::skip;
    auto [i, fresh] = connections_.try_emplace(x.id());
    if (!fresh)
      record_->blame("announced twice");
    i->second.one_by_one = chance(50);
    receive(x, {.count = i->second.one_by_one ? 1 : receive_request::unlimited});
    return caf::unit;
  }

  bool skips(const connection& x) const { return skipping_ || x.id() == skipped_; }

  void take(const received& x) {
    // What was skipped must now come before anything newer.
    skipped_ = caf::invalid_actor_id;
    auto& here = connections_[x.connection.id()];
    expect_alive(x.connection, "received");
    in_order(number_of(x.message.view()), here.next, "message");
    const auto done = here.next == num_messages;
    reply(x.connection, here);
    if (here.one_by_one && !done)
      receive(x.connection);
    if (done)
      close(x.connection);
    ++record_->messages;
    if (end_ != fate::finishes && ++handled_ == last_ && end_ != fate::is_killed)
      die();
    else
      misbehave(x.connection);
  }

  void reply(const connection& to, per_connection& here) {
    auto text = number_text(here.replies++);
    if (chance(70))
      taps::send(to, text);
    else
      caf::anon_send(to, send_command{slice::copy_of(text), {}, true, false});
  }

  void die() {
    if (end_ == fate::throws)
      throw std::runtime_error{"a bug of the application"};
    self_->quit();
  }

  void misbehave(const connection& last) {
    switch (std::uniform_int_distribution{0, 39}(random_)) {
    case 0:
      skipping_ = true;
      caf::anon_send(self_, wake_up{});
      break;
    case 1:
      self_->become(deaf());
      caf::anon_send(self_, wake_up{});
      break;
    case 2:
      self_->become(normal());
      break;
    case 3:
      self_->become(caf::keep_behavior, normal());
      break;
    case 4:
      self_->unbecome();
      self_->become(normal());
      break;
    case 5:
    case 6:
      self_->request(helper_, caf::infinite, question{}).await([](int) {});
      break;
    case 7:
    case 8:
      self_->request(helper_, caf::infinite, question{}).then([this](int) { ++answers_; });
      break;
    case 9:
    case 10:
      self_->send(self_, self_note{notes_++});
      break;
    case 11:
    case 12:
    case 13:
      // Until the next event of another Connection, or an answer if there is none.
      skipped_ = last.id();
      self_->request(helper_, caf::infinite, question{}).then([this](int) {
        skipped_ = caf::invalid_actor_id;
      });
      break;
    default:
      break;
    }
  }

  void wake() {
    skipping_ = false;
    self_->become(normal());
  }

  void take(const token& x) { in_order(x.number, next_token_[x.sender], "token"); }

  void end(const connection& x) {
    auto& here = connections_[x.id()];
    expect_alive(x, "terminal event");
    if (here.next != num_messages)
      record_->blame("ended after " + std::to_string(here.next));
    here.ended = true;
    if (++ended_ == num_connections)
      self_->request(helper_, caf::infinite, question{}).then([this](int) {
        caf::anon_send(self_, look_back{});
      });
  }

  void look() {
    if (next_note_ != notes_)
      record_->blame("notes lost");
    const auto told = [](const auto& x) { return x.second == num_tokens; };
    if (next_token_.size() != num_senders ||
        !std::all_of(next_token_.begin(), next_token_.end(), told)) {
      // The senders are not through yet.
      caf::anon_send(self_, look_back{});
      return;
    }
    record_->finished.set_value();
  }

  void expect_alive(const connection& x, const char* what) {
    if (connections_[x.id()].ended)
      record_->blame(std::string{what} + " after the end");
  }

  void in_order(int got, int& next, const char* what) {
    if (got != next)
      record_->blame(std::string{what} + " " + std::to_string(got) + " instead of " +
                     std::to_string(next));
    next = got + 1;
  }

  bool chance(int percent) { return std::uniform_int_distribution{1, 100}(random_) <= percent; }

  caf::event_based_actor* self_;
  record_ptr record_;
  caf::actor helper_;
  std::mt19937 random_;
  fate end_;
  int last_;
  std::map<caf::actor_id, per_connection> connections_;
  std::map<int, int> next_token_;
  int ended_ = 0;
  int handled_ = 0;
  int notes_ = 0;
  int next_note_ = 0;
  int answers_ = 0;
  bool skipping_ = false;
  /// Whose events are skipped for now.
  caf::actor_id skipped_ = caf::invalid_actor_id;
};

/// A plain peer: sends its messages in pieces of any size, and checks the replies.
void be_peer(const posix_socket& socket, unsigned seed, bool to_the_end, record& what) {
  std::mt19937 random{seed};
  std::string all;
  for (int i = 0; i < num_messages; ++i)
    all += std::string{"\0\0\0\4", 4} + number_text(i);
  for (std::size_t at = 0; at < all.size();) {
    const auto n = std::uniform_int_distribution<std::size_t>{1, 60}(random);
    if (!socket.send(std::string_view{all}.substr(at, n)))
      break;
    at += n;
  }
  const auto replies = socket.read();
  if (to_the_end && replies.size() != all.size())
    what.blame(std::to_string(replies.size() / 8) + " replies");
  for (std::size_t i = 0; i + 8 <= replies.size() && i + 8 <= all.size(); i += 8)
    if (replies.compare(i, 8, all, i, 8) != 0) {
      what.blame("reply " + std::to_string(i / 8) + " is wrong");
      break;
    }
}

class delivery : public conformance,
                 public ::testing::WithParamInterface<std::tuple<place, fate, unsigned>> {
protected:
  delivery() : conformance(options(2)) {}

  preconnection framed(preconnection x) {
    x.add_framer(length_prefix());
    return x;
  }

  caf::actor spawn_owner(place where, const record_ptr& what, unsigned seed, fate end,
                         std::function<void(caf::event_based_actor*)> begin) {
    auto helper = system_.spawn([]() -> caf::behavior { return {[](question) { return 1; }}; });
    owners_.push_back(helper);
    auto body = [=](caf::event_based_actor* self) -> caf::behavior {
      auto state = std::make_shared<owner_state>(self, what, helper, seed, end);
      self->attach_functor([state] {});
      self->set_default_handler(caf::skip);
      begin(self);
      return state->normal();
    };
    auto result = where == place::in_cafs_scheduler ? system_.spawn(body) : net_.spawn_on(0, body);
    owners_.push_back(result);
    return result;
  }
};

}  // namespace

TEST_P(delivery, everything_comes_once_and_in_order) {
  const auto [where, end, seed] = GetParam();
  std::cout << "seed " << seed << '\n';
  auto what = std::make_shared<record>();
  std::vector<posix_socket> peers;
  caf::actor mine;
  if (where == place::on_another_shard) {
    // Which of the two shards accepts is the kernel's choice: some Connections live beside their
    // owner, some elsewhere.
    std::promise<taps::listener> made;
    auto pre = framed(at(loopback_local()));
    mine = spawn_owner(where, what, seed, end,
                       [&](auto* self) { made.set_value(taps::listen(pre, self)); });
    const auto port = port_of(made.get_future().get());
    for (int i = 0; i < num_connections; ++i)
      peers.push_back(posix_connect(port));
  } else {
    auto listener = posix_bind();
    auto pre = framed(to(loopback_remote(listener.port())));
    std::promise<void> begun;
    mine = spawn_owner(where, what, seed, end, [&](auto* self) {
      for (int i = 0; i < num_connections; ++i)
        initiate(pre, self);
      begun.set_value();
    });
    begun.get_future().wait();
    for (int i = 0; i < num_connections; ++i)
      peers.push_back(posix_accept(listener));
  }
  std::vector<std::thread> threads;
  for (int i = 0; i < num_connections; ++i)
    threads.emplace_back([&, i, to_the_end = end == fate::finishes, by = seed] {
      be_peer(peers[static_cast<std::size_t>(i)], by + static_cast<unsigned>(i), to_the_end, *what);
    });
  for (int i = 0; i < num_senders; ++i)
    threads.emplace_back([&, i] {
      for (int n = 0; n < num_tokens; ++n) {
        caf::anon_send(mine, token{i, n});
        std::this_thread::yield();
      }
    });
  if (end == fate::is_killed) {
    while (what->messages < static_cast<int>(seed % (2 * num_messages)))
      std::this_thread::yield();
    caf::anon_send_exit(mine, caf::exit_reason::kill);
  }
  if (end == fate::finishes) {
    EXPECT_EQ(what->finished.get_future().wait_for(20s), std::future_status::ready);
    EXPECT_EQ(what->messages, num_connections * num_messages);
    caf::anon_send_exit(mine, caf::exit_reason::user_shutdown);
  }
  for (auto& x : threads)
    x.join();
  std::lock_guard guard{what->mutex};
  EXPECT_TRUE(what->wrong.empty()) << what->wrong.size() << " times, first: " << what->wrong[0];
}

INSTANTIATE_TEST_SUITE_P(
    owners, delivery,
    ::testing::Combine(::testing::Values(place::beside_its_connections, place::on_another_shard,
                                         place::in_cafs_scheduler),
                       ::testing::Values(fate::finishes, fate::quits, fate::throws,
                                         fate::is_killed),
                       ::testing::Values(1u, 77u, 1234u, std::random_device{}())),
    [](const auto& x) {
      return std::string{name_of(std::get<0>(x.param))} + "_" + name_of(std::get<1>(x.param)) +
             "_" + std::to_string(x.index);
    });
