// The tables of this procedure's kinds. Inside modules/access only.
#pragma once

#include "kernel/case/api.hpp"

namespace jw::access {

extern const cases::Kind kAccess, kRenewal, kChange, kRevocation, kConfirmation;

constexpr std::string_view kOffice = "academic_office", kHead = "department_head", kOfficeUnit = "jwc";

constexpr std::string_view kLetterSeries = "教查";

// Whom these cases wait for.
extern const cases::Waits kWaitsHead, kWaitsOwner, kWaitsOffice;

// As the rows of the tables spell them.
constexpr cases::Opinion kMay = cases::Opinion::optional, kMust = cases::Opinion::required;
constexpr cases::Tone kGood = cases::Tone::good, kBad = cases::Tone::bad, kBack = cases::Tone::back;
constexpr cases::Seal kSigns = cases::Seal::signs, kApproves = cases::Seal::approves;

// What was granted, or failing that asked for.
boost::json::object content_of(const cases::Case& file);

}  // namespace jw::access
