// Mail against a real SMTP server on loopback (tests/support/smtp_server.py): what arrives is read by Python's parser.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <thread>

#include "base/text.hpp"
#include "platform/mail/api.hpp"
#include "tests/support/smtp.hpp"

namespace jw::mail {
namespace {

using tests::SmtpServer;

Options options_for(const SmtpServer& server) {
  Options options;
  options.url = server.url();
  options.from_address = "jiaowu@school.example";
  options.from_name = "教务处";
  options.timeout = std::chrono::seconds(20);
  return options;
}

std::unique_ptr<Mailer> mailer(Options options) {
  auto made = Mailer::make(std::move(options));
  EXPECT_TRUE(made) << made.refusal().detail.en;
  return std::move(made).value();
}

Message message(std::string to = "zhangsan@school.example") {
  Message message;
  message.to = std::move(to);
  message.subject = "教务系统有事项等待您处理";
  message.text = "您好：\n有事项等待您处理。\n";
  message.message_id = "notice-1.17@school.example";
  message.date = Instant::parse("2026-11-24T09:05:07+08:00").value();
  return message;
}

std::string refused_for(Message message) {
  const Composed made = compose(message, "jiaowu@school.example", "教务处");
  EXPECT_EQ(made.bytes.empty(), !made.wrong.empty());
  return made.wrong;
}

TEST(Mail, ChineseMessageArrivesAsItWasWritten) {
  const SmtpServer server;
  const auto sender = mailer(options_for(server));
  Message asked = message();
  asked.to_name = "张三，教务处综合科办公室负责人（兼教学运行与质量监控中心联系人）";
  asked.subject = std::string("教务系统有事项等待您处理，请登录查看；本邮件由系统自动发出，") +
                  "请勿回复，如有疑问请联系学院教学秘书 😀𠮷";
  asked.text = "您好：\r\n\n.\n..点开头的行\nFrom 行首\n一行很长" + std::string(3000, 'x') + "\n末行没有换行";
  const Sent sent = sender->send(asked);
  ASSERT_EQ(sent.outcome, Outcome::sent) << sent.reason;
  const auto all = server.received();
  ASSERT_EQ(all.size(), 1u);
  const SmtpServer::Received& got = all.front();
  EXPECT_EQ(got.at("header Subject"), asked.subject);
  EXPECT_EQ(got.at("header From"), "教务处 <jiaowu@school.example>");
  EXPECT_EQ(got.at("to_name"), asked.to_name);
  EXPECT_EQ(got.at("header Date"), "Tue, 24 Nov 2026 09:05:07 +0800");
  EXPECT_EQ(got.at("header Message-ID"), "<notice-1.17@school.example>");
  EXPECT_EQ(got.at("header Auto-Submitted"), "auto-generated");
  EXPECT_EQ(got.at("header Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(got.at("headers"),
            "Date,From,To,Subject,Message-ID,Auto-Submitted,MIME-Version,Content-Type,Content-Transfer-Encoding");
  EXPECT_EQ(got.at("text"),
            "您好：\\n\\n.\\n..点开头的行\\nFrom 行首\\n一行很长" + std::string(3000, 'x') + "\\n末行没有换行\\n");
  EXPECT_EQ(got.at("defects"), "0");
  EXPECT_EQ(got.at("mail_from"), "jiaowu@school.example");
  EXPECT_EQ(got.at("rcpt_to"), "zhangsan@school.example");
  EXPECT_EQ(got.at("helo"), "school.example");
  EXPECT_EQ(got.at("tls"), "no");
}

TEST(Mail, LinesEndWithCrlfAndStayShort) {
  const SmtpServer server;
  Message asked = message();
  for (int i = 0; i < 40; ++i) asked.subject += "教务a";
  ASSERT_EQ(mailer(options_for(server))->send(asked).outcome, Outcome::sent);
  const std::string raw = server.raw("001");
  ASSERT_TRUE(raw.ends_with('\n'));
  for (const std::string_view line : split(std::string_view(raw).substr(0, raw.size() - 1), '\n')) {
    EXPECT_TRUE(line.ends_with('\r')) << line;
    EXPECT_LE(line.size(), 77u) << line;
    EXPECT_TRUE(std::ranges::all_of(line, [](char c) { return static_cast<unsigned char>(c) < 0x80; })) << line;
  }
}

TEST(Mail, ManyMessagesGoOverOneConnectionUntilItIsHungUp) {
  const SmtpServer server;
  const auto sender = mailer(options_for(server));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 5; ++j) EXPECT_EQ(sender->send(message()).outcome, Outcome::sent);
    });
  }
  for (std::thread& each : threads) each.join();
  sender->hang_up();
  EXPECT_EQ(sender->send(message()).outcome, Outcome::sent);
  std::map<std::string, int> connections;
  for (const auto& each : server.received()) ++connections[each.at("connection")];
  ASSERT_EQ(connections.size(), 2u);
  EXPECT_EQ(connections.begin()->second + connections.rbegin()->second, 21);
}

TEST(Mail, AnswersOfTheServerBecomeOutcomes) {
  const SmtpServer server;
  const auto sender = mailer(options_for(server));
  const auto sent_to = [&](const char* to) { return sender->send(message(to)); };
  const Sent unknown = sent_to("unknown@school.example"), busy = sent_to("busy@school.example"),
             bad = sent_to("badtext@school.example"), full = sent_to("fulltext@school.example");
  EXPECT_EQ(unknown.outcome, Outcome::refused);
  EXPECT_EQ(unknown.reason, "rcpt_550");
  EXPECT_EQ(busy.outcome, Outcome::try_later);
  EXPECT_EQ(busy.reason, "rcpt_451");
  EXPECT_FALSE(busy.server_away) << "others may be served";
  EXPECT_EQ(bad.outcome, Outcome::refused);
  EXPECT_EQ(bad.reason, "data_554");
  EXPECT_EQ(full.outcome, Outcome::try_later);
  EXPECT_EQ(full.reason, "data_452");
  EXPECT_EQ(sent_to("zhangsan@school.example").outcome, Outcome::sent) << "it goes on after a refusal";
  server.says("550 5.7.1 not from you");
  const Sent ours = sent_to("zhangsan@school.example");
  EXPECT_EQ(ours.outcome, Outcome::try_later) << "our own address is the operator's matter, not this message's";
  EXPECT_EQ(ours.reason, "mail_550");
  EXPECT_TRUE(ours.server_away);
  server.says("421 4.3.2 closing");
  EXPECT_EQ(sent_to("zhangsan@school.example").reason, "mail_421");
  server.says("");
  EXPECT_EQ(sent_to("zhangsan@school.example").outcome, Outcome::sent);
}

TEST(Mail, ServerThatIsAwayOrSilentIsTriedLater) {
  std::string closed;
  {
    const SmtpServer gone;
    closed = gone.url();
  }
  SmtpServer silent({"--silent"}), hanging;
  for (const auto& [url, to, reason] :
       {std::tuple(closed, "a@b.example", "connect"), std::tuple(silent.url(), "a@b.example", "timeout"),
        std::tuple(hanging.url(), "hang@b.example", "timeout"),
        std::tuple(std::string("smtp://host.invalid"), "a@b.example", "resolve")}) {
    Options options = options_for(hanging);
    options.url = url;
    options.timeout = std::chrono::milliseconds(700);
    const Sent sent = mailer(options)->send(message(to));
    EXPECT_EQ(sent.outcome, Outcome::try_later) << url;
    EXPECT_TRUE(sent.server_away);
    if (url.find("invalid") == std::string::npos) {
      EXPECT_EQ(sent.reason, reason) << url;
    }
  }
}

TEST(Mail, StopEndsASendUnderWay) {
  const SmtpServer server({"--silent"});
  const auto sender = mailer(options_for(server));
  std::thread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    sender->stop();
  });
  EXPECT_EQ(sender->send(message()).reason, "stopped");
  EXPECT_EQ(sender->send(message()).reason, "stopped");
  stopper.join();
}

TEST(Mail, StartTlsAndSignIn) {
  const SmtpServer server({"--starttls", "--sign-in", "jiaowu", "right one"});
  Options options = options_for(server);
  options.starttls = Tls::required;
  options.user = "jiaowu";
  options.password = "right one";
  options.ca_file = server.certificate();
  ASSERT_EQ(mailer(options)->send(message()).reason, "sent");
  EXPECT_EQ(server.received().at(0).at("tls"), "yes");
  EXPECT_EQ(server.received().at(0).at("user"), "jiaowu");
  options.starttls = Tls::if_offered;
  EXPECT_EQ(mailer(options)->send(message()).reason, "sent");
  EXPECT_EQ(server.received().at(1).at("tls"), "yes");

  options.password = "wrong one";
  const Sent wrong = mailer(options)->send(message());
  EXPECT_EQ(wrong.reason, "sign_in");
  EXPECT_EQ(wrong.outcome, Outcome::try_later);
  EXPECT_TRUE(wrong.server_away);

  options.password = "right one";
  options.ca_file.clear();  // nobody whom this machine trusts vouches for the server
  EXPECT_EQ(mailer(options)->send(message()).reason, "tls");
  options.starttls = Tls::never;
  EXPECT_NE(mailer(options)->send(message()).outcome, Outcome::sent) << "this server asks for TLS";
  EXPECT_EQ(server.received().size(), 2u);
}

TEST(Mail, RequiredTlsIsNotGivenUp) {
  const SmtpServer plain;
  Options options = options_for(plain);
  options.starttls = Tls::required;
  EXPECT_EQ(mailer(options)->send(message()).reason, "tls");
  EXPECT_TRUE(plain.received().empty());
}

TEST(Mail, TlsFromTheFirstByte) {
  const SmtpServer server({"--smtps"});
  Options options = options_for(server);
  options.url = "smtps://localhost:" + server.port() + "/";
  options.ca_file = server.certificate();
  ASSERT_EQ(mailer(options)->send(message()).reason, "sent");
  EXPECT_EQ(server.received().at(0).at("tls"), "yes");
}

TEST(Mail, OptionsThatCannotWorkAreRefused) {
  Options good;
  good.url = "smtp://mail.school.example:587";
  good.from_address = "jiaowu@school.example";
  EXPECT_TRUE(Mailer::make(good));
  const auto refused = [&](auto change) {
    Options options = good;
    change(options);
    const auto made = Mailer::make(options);
    EXPECT_TRUE(made || made.refusal().type == "mail.options");
    return !made;
  };
  for (const char* url : {"", "mail.school.example", "http://mail.school.example", "smtp://", "smtp://user@host",
                          "smtp://host/path", "smtp://host:99999", "smtp://host\r\nQUIT", "file:///etc/passwd"}) {
    EXPECT_TRUE(refused([&](Options& o) { o.url = url; })) << url;
  }
  EXPECT_TRUE(refused([](Options& o) { o.from_address = "nobody"; }));
  EXPECT_TRUE(refused([](Options& o) { o.from_name = "a\r\nBcc: b@c.example"; }));
  EXPECT_TRUE(refused([](Options& o) { o.user = "jiaowu"; })) << "no password";
  EXPECT_TRUE(refused([](Options& o) { o.timeout = std::chrono::milliseconds(0); }));
  const auto with_password = [](Options& o) { o.user = "jiaowu", o.password = "secret"; };
  EXPECT_FALSE(refused(with_password));
  EXPECT_TRUE(refused([&](Options& o) { with_password(o), o.starttls = Tls::if_offered; })) << "could go in the clear";
  EXPECT_FALSE(
      refused([&](Options& o) { with_password(o), o.starttls = Tls::never, o.url = "smtps://mail.school.example"; }));
  EXPECT_FALSE(refused([&](Options& o) { with_password(o), o.url = "smtp://127.0.0.1:25"; }));
}

TEST(Mail, Addresses) {
  for (const char* good :
       {"a@b", "zhang.san@school.example", "x+y_z-1@a-b.example.cn", "0@1.example", "o'neil@school.example"})
    EXPECT_TRUE(is_address(good)) << good;
  const std::vector<std::string> bad = {"",
                                        "a",
                                        "@b",
                                        "a@",
                                        "a@b@c",
                                        "a b@c",
                                        "a@b c",
                                        "a@b\r\n",
                                        std::string("a@b\0", 4),
                                        ".a@b",
                                        "a.@b",
                                        "a..b@c",
                                        "a@-b",
                                        "a@b-",
                                        "a@.b",
                                        "a@b.",
                                        "a\n@b",
                                        std::string(65, 'a') + "@b",
                                        "a@b..c",
                                        "a@b>",
                                        "<a@b>",
                                        "a@b,c@d",
                                        "\"a\"@b",
                                        "张三@b",
                                        "a@[127.0.0.1]",
                                        "a@学校",
                                        "a@" + std::string(64, 'b')};
  for (const std::string& each : bad) EXPECT_FALSE(is_address(each)) << each;
}

TEST(Mail, NothingGetsIntoTheHeaders) {
  const std::string trick = "x\r\nBcc: other@school.example";
  Message asked = message();
  asked.to = "a@b\r\nRCPT TO:<other@school.example>";
  EXPECT_EQ(refused_for(asked), "address_invalid");
  for (const std::string& text :
       {trick, std::string("x\ny"), std::string("x\ry"), std::string("x\0y", 3), std::string("x\x85y"),
        std::string("x\xc2\x85y"), std::string("x\xe2\x80\xa8y"), std::string("x\ty")}) {
    asked = message();
    asked.subject = text;
    EXPECT_EQ(refused_for(asked), "subject_invalid") << text;
    asked = message();
    asked.to_name = text;
    EXPECT_EQ(refused_for(asked), "name_invalid") << text;
  }
  asked = message();
  asked.message_id = "x@y>\r\nBcc: other@school.example";
  EXPECT_EQ(refused_for(asked), "id_invalid");
  asked = message();
  asked.text = "\xff";
  EXPECT_EQ(refused_for(asked), "text_invalid");
  asked = message();
  asked.text = "\r\n.\r\nMAIL FROM:<other@school.example>\r\n";  // nothing in the text ends the text
  EXPECT_EQ(refused_for(asked), "");
}

TEST(Mail, NamesThatLookLikeSyntaxStayNames) {
  const SmtpServer server;
  const auto sender = mailer(options_for(server));
  std::vector<std::string> names = {"Zhang, San",       "a \"b\" c",       "back\\slash",
                                    "=?UTF-8?B?eA==?=", "a <b@c.example>", "王 小明 Wang"};
  for (const std::string& name : names) {
    Message asked = message();
    asked.to_name = asked.subject = name;
    ASSERT_EQ(sender->send(asked).reason, "sent") << name;
  }
  const auto all = server.received();
  ASSERT_EQ(all.size(), names.size());
  for (size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(all[i].at("header Subject"), names[i]);
    EXPECT_EQ(all[i].at("rcpt_to"), "zhangsan@school.example");
    EXPECT_EQ(all[i].at("to_name"), names[i]);
    EXPECT_EQ(all[i].at("to_address"), "zhangsan@school.example");
  }
}

// Whatever is written: every line of the header is short ASCII, and no more header lines appear than there are headers.
RC_GTEST_PROP(Mail, HeadersKeepTheirForm, ()) {
  Message asked = message();
  std::string text;
  for (const uint32_t each : *rc::gen::container<std::vector<uint32_t>>(
           rc::gen::oneOf(rc::gen::inRange<uint32_t>(0x20, 0x7f), rc::gen::inRange<uint32_t>(0x4e00, 0xa000),
                          rc::gen::inRange<uint32_t>(0x1f300, 0x20000)))) {
    if (each < 0x80) {
      text += static_cast<char>(each);
    } else if (each < 0x800) {
      text += static_cast<char>(0xc0 | each >> 6), text += static_cast<char>(0x80 | (each & 0x3f));
    } else if (each < 0x10000) {
      text += static_cast<char>(0xe0 | each >> 12), text += static_cast<char>(0x80 | (each >> 6 & 0x3f)),
          text += static_cast<char>(0x80 | (each & 0x3f));
    } else {
      text += static_cast<char>(0xf0 | each >> 18), text += static_cast<char>(0x80 | (each >> 12 & 0x3f)),
          text += static_cast<char>(0x80 | (each >> 6 & 0x3f)), text += static_cast<char>(0x80 | (each & 0x3f));
    }
  }
  asked.subject += text;
  asked.to_name = text;
  const Composed made = compose(asked, "jiaowu@school.example", text);
  RC_PRE(made.wrong.empty());
  size_t headers = 0;
  const std::string head = made.bytes.substr(0, made.bytes.find("\r\n\r\n"));
  for (std::string_view line : split(head, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    RC_ASSERT(line.size() <= 76u && !line.empty());
    RC_ASSERT(std::ranges::all_of(line, [](char c) { return c >= 0x20 && c < 0x7f; }));
    headers += line.front() != ' ' ? 1 : 0;
  }
  RC_ASSERT(headers == 9u);
}

}  // namespace
}  // namespace jw::mail
