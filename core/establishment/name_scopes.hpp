#pragma once

#include "taps/core/path/path_selection.hpp"
#include "taps/core/transport/resolver.hpp"

#include <span>

namespace taps {

/// Returns where to ask for the names of a request: where all its paths are by one interface, or in
/// one provisioning domain, those of the domain's servers that it has (RFC 7556, section 5). A
/// domain that the request requires goes before others. Empty where the kernel may choose, or no
/// such domain has servers of its own.
[[nodiscard]] name_scope scope_of(const network& where, std::span<const path> paths,
                                  const interface_preferences& domains);

}  // namespace taps
