#include "kernel/identity/common_passwords.hpp"

#include <string>
#include <unordered_set>

#include "kernel/identity/secret_text.hpp"

namespace jw::identity {
namespace {

// The commonest of published breaches, habits of the country (我爱你 一生一世, lucky numbers, keyboard walks, birthdays
// of fame) and words of the trade. Lower case.
constexpr std::string_view kList = R"(
000000 0000000 00000000 0000000000 010203 01020304 012345 0123456 01234567 012345678 0123456789 098765 0987654321 101010
102030 10203040 110110 110119 111111 1111111 11111111 111111111 1111111111 11112222 111222 111222333 112112 112211 112233
11223344 1122334455 115115 118118 119119 1212 121212 12121212 123000 123123 1231230 123123123 12312312 123321 1233210
123321123 1234 12341234 12344321 12345 123454321 123455 123456 1234560 1234561 1234565 1234566 12345600 123456123 1234567 12345670 12345677
12345678 123456780 123456781 12345678910 123456788 1234567887654321 123456789 1234567890 12345678900 123456789000 1234567891 1234567899
1234567890- 123456789a 123456789abc 123456789q 123456789qq 12345678a 12345678q 1234567a 1234567q 123456a 123456aa 123456aaa 123456abc 123456as 123456asd
123456b 123456c 123456d 123456l 123456li 123456love 123456q 123456qq 123456qwe 123456qwerty 123456s 123456w 123456x 123456y 123456z 123456zxc 12345a 12345abc 12345aa 12345asd
12345q 12345qwe 12345qwert 12345qwerty 12345t 12345zxc 1234abcd 1234asdf 1234qwer 123581321 123654 123654789 123698745 1236987 1234554321
123698 1237890 123789 123a123a 123abc 123abc123 123asd 123asd123 123qaz 123qwe 123qwe123 123qwe456 123qweasd 123qweasdzxc 123zxc 12qwaszx 131313 131420 1314520 13145200 1314521
1314woaini 1314159 134679 1346798520 135246 135790 13579 1357911 135792468 1357924680 14141414 141421 142536 142857 145236 147147 147258 147258369 1472583690 147369 147852 147852369 147896325 147896321
151515 159159 159263 159357 159753 159951 168168 16881688 161616 171717 181818 18181818 188188 1988 19841984 19861986 19871987 19881988 19891989
19901990 19911991 19921992 19931993 19941994 19951995 19961996 19971997 19981998 19991999 20002000 20012001 20022002 20032003 20042004 20052005 20062006 20082008 20102010
1a2b3c 1a2b3c4d 1a2s3d 1a2s3d4f 1q1q1q 1q2w3e 1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y 1qa2ws 1qa2ws3ed 1qaz 1qaz1qaz 1qaz2wsx 1qaz2wsx3edc 1qazxsw2 1qazxsw23edc 1qazzaq1 2012 201314 20132013 20141314
202020 212121 222222 22222222 222333 223344 22334455 232323 246810 2468101214 2580 258258 258369 258456 25802580 258025 258852 2wsx3edc 303030 313131 321321 321321321 321654 321654987 332211 333333 33333333 334455
336699 3.1415926 31415926 3141592653 314159 369258 369258147 369369 383838 3d3d3d 456123 456456 456456456 456789 445566 444444 44444444 4815162342 494949 5120 51201314 515151 518518 520025 520131 5201314
520131400 52013140 5201314a 5201314w 5201314wo 520520 520520520 5205201314 521521 521125 5211314 52113145 521314 5213344 525252 555555 55555555 555666 556677 565656 567890 584520 584131421 584521 58585858 589589 595959 5845201314
616161 6543210 654321 654321a 656565 666666 66666666 666666666 6666666666 666888 667788 66778899 668866 686868 68686868 696969 741741 741852 741852963 753951 7418529630 74108520 741258 745698 7215217758991 7708801314520 771314
777777 7777777 77777777 778899 776655 787878 7894561230 789456 789456123 78945612 789789 789789789 789987 7758258 7758521 77585210 7758520 775852100 7788250 7788414 789632145 801314 818181 852456 852963 8520 85208520 852852 87654321 876543210 888666 888888
8888888 88888888 888888888 8888888888 888999 889900 898989 909090 911911 951753 951357 963852 963852741 963258 963258741 963963 987456 987654 98765432 987654321 9876543210 987987 987654321a 996996 996633 989898 999000 999888 999999 9999999 99999999 999999999 9999999999
a000000 a0000000 a111111 a11111 a111111111 a112233 a1122334 a11223344 a1234 a12345 a123123 a123123123 a123321 a1234567 a123456 a12345678 a123456789 a1234567890 a123456a a123456b a123456s a147258 a147258369 a159753 a1b1c1 a1b2c3 a1b2c3d4 a1b2c3d4e5 a1s2d3f4 a1s2d3 a520520 a5201314 a520131
a654321 a666666 a7758258 a7758521 a789456 a789456123 a888888 a88888888 a987654321 a999999 aa000000 aa111111 aa112233 aa123123 aa123321 aa12345 aa123456 aa1234567 aa12345678 aa123456789 aa1234567890 aa5201314 aa520520 aa666666 aa888888 aaa000 aaa111 aaa111222 aaa123 aaa1234 aaa123123 aaa123456 aaa12345
aaa222 aaa333 aaaa0000 aaaa1111 aaaa1234 aaaaa aaaaa1 aaaaa11111 aaaaaa aaaaaa1 aaaaaaa aaaaaaaa aaaaaaaaa aabb1122 aabbcc aabbccdd abab1212 abc abc000 abc111 abc123 abc1234 abc12345 abc123456 abc1234567 abc12345678 abc123456789 abc123123 abc123abc abc321 abc@123 abc@1234 abcabc abcabcabc abc123!@# abcd abcd123 abcd@1234
abcd1234 abcd12345 abcd123456 abcd@123 abcd!234 abcde abcde12345 abcde123 abcdef abcdef123 abcdefg abcdefg1 abcdefg123 abcdefgh abcdefghi abcdefghij access admin admin1 admin12 admin123 admin1234 admin12345 admin123456 admin@123 admin@1234 admin@12345 admin@2020 admin888 admin999 admin#123 admin!@# adminadmin administrator adminpass
aidejiushini ailaopo ainiyiwannian aini1314 aini520 aini5201314 airforce alexander amanda andrea andrew angel angel123 angela anthony apple aptx4869 asasas asasasas asd123 asd123456 asd123123 asd456 asdasd asdasd123 asdasdasd asd asdf asdf123 asdf1234 asdf12345 asdfasdf asdfg asdfg123 asdfg12345 asdfgh asdfgh1 asdfghj asdfghjk asdfghjkl asdfghjkl; asdfjkl asdfjkl; asdqwe asdqwe123 asdzxc asdzxc123 ashley
august austin azerty baby babygirl bailey bangbang banana baobao baobei baobei520 baobeiwoaini baseball basketball batman beijing beijing2008 benfica bitch bitcoin blink182 bubbles buster butterfly calvin campus caonima caonima123 change changeit changeme changeme123 charlie cheese chelsea chengdu chenchen china china123 china1949
chinachina chongqing chocolate college computer computer1 cookie corvette counter cs123456 dallas daniel dashuaige dashuai dearbook default diamond diandian dongdong donald dragon dragon123 dreams dubsmash easy education eminem ewq123 fdsa fangfang feifei feiyang felix ferrari fighting flower football football1 forever forever21 forget freedom friend friends fuckyou fuckyou1 fuck
fylcyk g_czechout gaoxiao george gfhjkm ginger google google123 gundam guest guest123 guangzhou guigui haha123 hahaha hahahaha hallo hallo123 hangzhou haohao haohaoxuexi haoren hello hello1 hello123 hello1234 helloworld hello world henry hannah happy happy123 harley heihei hehehe hehehehe hockey hottie huanhuan hunter hunter2 huawei huawei123 huawei@123 huihui iloveu iloveyou iloveyou1 iloveyou123 iloveyou1314 iloveyou520 iloveyou2 iloveu123 imissyou
internet ilovechina jennifer jessica jesus jiajia jianjian jiangjiang jiaoshi jiaowu jiaowu123 jiaowuchu jiaxing jiayou jiayou123 jiaqi jingjing jordan jordan23 joshua jsj123 jw123456 jwc123 jwc123456 justin kaixin kaixin123 kevin killer kimberly kingdom kissme kobe24 kobe8 lalala lalala123 lanlan laogong laopo laopo520 laopo123 laoshi leilei letmein letmein1 liang123 liangliang lihai liumang liverpool liuliu lingling login login123 lol123 lol123456
love love1314 love123 love1234 love520 love5201314 loveme lovely loveyou loveyou1314 loveyou520 lovelove lucky lucky888 lulu maggie manager mama123 mamababa manchester maomao marina martin master master123 matrix matthew mengmeng meimei mercedes merlin michael michael1 michelle minecraft mingming mingtian mnbvcxz mnbvcx mobilemail money monitor monkey monkey1 monster mustang mynoob mynewpass mypass myspace1 nanjing naruto newpass newpassword nicole nihao nihao123 nihaoma nihaoa ninini ningning niaiwoma
nicknick nopassword nothing oracle orange ohmygod openup operator orcl ou812 p@ssw0rd p@ssword pa$$word pa55word pass pass123 pass1234 pass@123 pass@word1 passport passw0rd passw0rd1 password password! password0 password01 password1 password11 password12 password123 password1234 password2 password3 password@1 password@123 passwd passwd123 patrick peanut pengpeng pepper piaoliang pingping pokemon postgres pppppp princess princess1 purple
q111111 q11111 q123123 q123321 q1234 q12345 q123456 q1234567 q12345678 q123456789 q1q1q1 q1q2q3 q1w2e3 q1w2e3r4 q1w2e3r4t5 q1w2e3r4t5y6 q5201314 q7758521 qaz qaz123 qaz1234 qaz123456 qazqaz qazqaz123 qazwsx qazwsx1 qazwsx12 qazwsx123 qazwsx123456 qazwsxedc qazwsxedc123 qazwsxedcrfv qazxsw qazxsw21 qazxsw123 qianqian qingdao qinghua qingqing qqq111 qqq123 qqq123456 qqqqqq qqqqqqqq qqqwww qq111111 qq123123 qq123321 qq1234 qq12345 qq123456 qq1234567 qq123456789 qq12345678 qq5201314 qq520520 qqww1122
qw123456 qw12er34 qwaszx qwe qwe123 qwe1234 qwe12345 qwe123456 qwe123qwe qwe123asd qwe123!@# qwe@123 qweasd qweasd1 qweasd12 qweasd123 qweasdzxc qweasdzxc1 qweasdzxc123 qweqwe qweqwe1 qweqwe123 qweqweqwe qwer qwer123 qwer1234 qwer12345 qwer123456 qwer!@#$ qwer@1234 qwerasdf qwerasdfzxcv qwerqwer qwert qwert1 qwert123 qwert1234 qwert12345 qwertasdfg qwerty qwerty1 qwerty11 qwerty12 qwerty123 qwerty1234 qwerty12345 qwerty123456 qwertyu qwertyui qwertyuio qwertyuiop qwertyuiop1 qwertyuiop123 qwertyuiop[] qweewq qwq123
rabbit rachel ranger realmadrid redhat renren richard robert root root123 root1234 root123456 root@123 rootroot rongrong rockyou sa123456 samantha samsung saturday sasasa school school123 secret security server service shadow shadow1 shanghai shenzhen shanshan shuaige shuang shuangshuang silver sister slipknot smile smokey snoopy soccer sophie spider spiderman squirrel starwars student student123 student1 summer summer123 sunny sunshine sunshine1 super superman superman1 superuser support system system123 sysadmin
taiyang taobao taobao123 taylor teacher teacher123 temp temp123 tencent test test1 test12 test123 test1234 test12345 test123456 test@123 testtest testing thomas thx1138 tianjin tianshi tiantian tigger tiger tigger1 tingting tinkle tomcat tomcat123 trustno1 tsinghua tttttt tudou123 uiop university university123 user user123 user1234 username victoria victory w123456 w12345678 w123456789 w5201314 wahaha wangjing wangwang wang123 wang123456 wangyang wangyut2 wangwei warcraft weiwei weixin weixin123 welcome welcome1 welcome12 welcome123 welcome@123 wenwen whatever windows windows7 winter wisdom wodemima
wobuzhidao wocao woaini woaini1 woaini11 woaini123 woaini1314 woaini13145 woaini1314520 woaini21 woaini520 woaini5201314 woaini521 woainia woainilaopo woaiwo woaiwojia woailaopo woaimama woaibaba woaixuexi woainima woainiya wojiushiwo woshishui woshiniba woshishen woshini woshinibaba woshiwo woaizhongguo woaichina wolf wokao woxiangni woxihuanni wozuiaini wo123456 wodeai wow123 wo5201314 wwwwww wuhan wuyanzu
x123456 xiangjun xiangni xianxian xiaobai xiaobao xiaobei xiaohei xiaohong xiaohu xiaolong xiaoming xiaoming123 xiaoqiang xiaotian xiaowei xiaoxiao xiaoxin xiaoxue xiaoyu xiaozhu xiaoyao xiexie xingfu xingxing xinxin xuesheng xuexi xuexiao xuexiao123 xxxxxx xxxxxxxx xyz123 xyzzy y123456 yahoo yamaha yangyang yanjing yankees yanyan yellow yesterday yingying yi123456 ying123 yongyuan youaini youyou yuanyuan z123456 z123456789 zaq12wsx zaq1xsw2 zaq123 zaqwsx zaqxsw zaqzaq zhangwei zhang123 zhang123456 zhanghao zhendema zhendeaini zhengfang zhenzhen zhimakaimen zhongguo zhongguo123 zhonghua zhuzhu zhuzhuxia zj123456 zjxjzj
zx123456 zxc zxc123 zxc1234 zxc12345 zxc123456 zxc123zxc zxcasd zxcasd123 zxcasdqwe zxcasdqwe123 zxcv zxcv123 zxcv1234 zxcvb zxcvb123 zxcvb12345 zxcvbn zxcvbn123 zxcvbnm zxcvbnm1 zxcvbnm123 zxcvbnm, zxcvbnm,. zxcvbnm,./ zxczxc zxczxc123 zxczxczxc zz123456 zzz123 zzzzzz zzzzzzzz zhouzhou zjh123 zaijian
!@#$%^ !@#$%^& !@#$%^&* !@#$%^&*( !@#$%^&*() !qaz2wsx !qaz@wsx !qazxsw2 1qaz!qaz 1qaz@wsx 1qaz@2wsx 1qaz#edc 1qaz2wsx#edc 2wsx#edc #edc4rfv 3edc$rfv 123!@#qwe 123qwe!@# 1234!@#$ 12345!@#$% 123456!@#$%^ 1q2w#e$r !q2w3e4r !q@w#e$r qwe!@#123 asd!@#123 a!s@d#f$ q!w@e#r$ q!w2e3r4 zaq!2wsx zaq1@wsx qaz!@# qaz@wsx qaz!2wsx qwerty!@# p@$$w0rd p@55w0rd pa$$w0rd p@ssw0rd1 p@ssw0rd123 p@ssw0rd! passw@rd passw@rd1 ppnn13%dkstfeb.1st fqi2021@ abc123456! abc123!! tmd123 hl123456 ceshi ceshi123 ceshi@123 mima mima123 mima1234 mimamima yonghu guanli guanliyuan
)";

const std::unordered_set<std::string_view>& list() {
  static const std::unordered_set<std::string_view> entries = [] {
    std::unordered_set<std::string_view> all;
    constexpr std::string_view kSpace = " \n";
    for (size_t at = kList.find_first_not_of(kSpace); at != std::string_view::npos;) {
      const size_t end = kList.find_first_of(kSpace, at);
      all.insert(kList.substr(at, end - at));
      at = kList.find_first_not_of(kSpace, end);
    }
    return all;
  }();
  return entries;
}

bool is_letter(char c) {
  return c >= 'a' && c <= 'z';
}

char unmasked(char c) {
  switch (c) {
    case '@':
    case '4':
      return 'a';
    case '0':
      return 'o';
    case '1':
    case '!':
      return 'i';
    case '3':
      return 'e';
    case '5':
    case '$':
      return 's';
    case '7':
      return 't';
    default:
      return c;
  }
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// As it is, with look-alikes as letters, and without signs: p@ssw0rd, abc@123456.
bool listed(std::string_view text) {
  if (list().contains(text)) return true;
  SecretText letters;
  SecretText plain;
  std::string unmasked_text;
  std::string without_signs;
  unmasked_text.reserve(text.size());
  without_signs.reserve(text.size());
  for (const char c : text) {
    unmasked_text += unmasked(c);
    if (is_letter(c) || is_digit(c)) without_signs += c;
  }
  letters.take(std::move(unmasked_text));
  plain.take(std::move(without_signs));
  constexpr size_t kSignsMost = 3;  // more signs make another password
  return list().contains(letters.view()) ||
         (text.size() - plain.view().size() <= kSignsMost && list().contains(plain.view()));
}

bool is_one_block_repeated(std::string_view text) {
  for (size_t block = 1; block <= text.size() / 2; ++block) {
    bool same = true;
    for (size_t i = block; i < text.size() && same; ++i) same = text[i] == text[i - block];
    if (same) return true;
  }
  return false;
}

// abcdefgh, 98765432, and the rows of the keyboard, both ways, over the whole text.
bool is_run(std::string_view text) {
  static constexpr std::string_view kRows[] = {"1234567890-=", "01234567890", "qwertyuiop[]",
                                               "asdfghjkl;'",  "zxcvbnm,./",  "abcdefghijklmnopqrstuvwxyz",
                                               "!@#$%^&*()_+"};
  for (const std::string_view row : kRows) {
    if (row.find(text) != std::string_view::npos) return true;
    const std::string back(row.rbegin(), row.rend());
    if (back.find(text) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

bool is_common_password(std::string_view password) {
  constexpr size_t kTailMost = 6;  // a longer tail is a password of its own
  SecretText lower;
  std::string folded(password);
  for (char& c : folded) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  lower.take(std::move(folded));
  const std::string_view text = lower.view();
  if (text.empty() || listed(text) || is_one_block_repeated(text) || is_run(text)) return true;

  size_t end = text.size();
  while (end > 0 && !is_letter(text[end - 1])) --end;
  size_t begin = 0;
  while (begin < end && !is_letter(text[begin])) ++begin;
  constexpr size_t kWordLeast = 4;
  const bool short_tail = text.size() - end <= kTailMost;
  if (short_tail && end >= kWordLeast && listed(text.substr(0, end))) return true;
  return short_tail && begin <= kTailMost && end - begin >= kWordLeast && listed(text.substr(begin, end - begin));
}

}  // namespace jw::identity
