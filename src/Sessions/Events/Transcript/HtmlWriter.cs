using System.Text;
using Sessions.Json;

namespace Sessions.Events.Transcript;

/// <summary>SESSION_TRANSCRIPT_HTML: one page that needs nothing but itself.</summary>
internal static class HtmlWriter
{
    private const long UnixEpochMs = 62_135_596_800_000;

    public static void WriteHead(string title, int messages, TranscriptOutput output)
    {
        var name = new Utf8Buffer(title.Length + 16);
        HtmlText.Escape(name, Encoding.UTF8.GetBytes(title));
        output.Raw(HtmlStyle.Head).Raw(name.Written).Small
            .Raw("</title>\n</head>\n<body>\n<main>\n<h1 dir=\"auto\">"u8).Raw(name.Written)
            .Raw("</h1>\n<div class=\"sub\">"u8).Number(messages)
            .Raw(messages == 1 ? " message</div>\n"u8 : " messages</div>\n"u8);
    }

    public static void WriteTail(TranscriptOutput output) => output.Raw("</main>\n</body>\n</html>\n"u8);

    public static void Write(Message message, TranscriptOutput output)
    {
        output.Small.Raw(message.Role switch
        {
            Role.User => "<article class=\"u\" id=\"m-"u8,
            Role.Assistant => "<article class=\"a\" id=\"m-"u8,
            _ => "<article class=\"e\" id=\"m-"u8,
        }).Number(message.Seq).Raw("\"><header><span class=\"who\">"u8).Raw(message.Role switch
        {
            Role.User => "User"u8,
            Role.Assistant => "Assistant"u8,
            _ => "Error"u8,
        }).Raw("</span>"u8);
        Time(output.Small, message.Timestamp);
        output.Small.Raw("</header>\n"u8);
        foreach (Part part in message.Parts)
        {
            output.Raw(part.Html ??= HtmlParts.Render(part, output));
        }

        if (message.StopReason.IsSet && !message.StopReason.Span.SequenceEqual("end_turn"u8))
        {
            output.Small.Raw("<div class=\"stop\">Stopped: <bdi>"u8);
            HtmlText.Escape(output.Small, Unescape.Utf8(message.StopReason.Span));
            output.Small.Raw("</bdi></div>\n"u8);
        }

        output.Small.Raw("</article>\n"u8);
    }

    // By hand: the framework's formats bring its time zones along, a fiftieth of the library.
    private static void Time(Utf8Buffer b, long timestamp)
    {
        if (timestamp <= 0 || timestamp > (DateTime.MaxValue.Ticks / TimeSpan.TicksPerMillisecond) - UnixEpochMs)
        {
            return;
        }

        var time = new DateTime((timestamp + UnixEpochMs) * TimeSpan.TicksPerMillisecond);
        Date(b.Raw("<time datetime=\""u8), time);
        Clock(b.Byte('T'), time).Byte(':');
        Digits(Digits(b, time.Second, 2).Byte('.'), time.Millisecond, 3);
        Date(b.Raw("Z\">"u8), time);
        Clock(b.Byte(' '), time).Raw(" UTC</time>"u8);
    }

    private static void Date(Utf8Buffer b, DateTime time)
        => Digits(Digits(Digits(b, time.Year, 4).Byte('-'), time.Month, 2).Byte('-'), time.Day, 2);

    private static Utf8Buffer Clock(Utf8Buffer b, DateTime time)
        => Digits(Digits(b, time.Hour, 2).Byte(':'), time.Minute, 2);

    private static Utf8Buffer Digits(Utf8Buffer b, int value, int width)
    {
        for (int scale = width == 4 ? 1000 : width == 3 ? 100 : 10; scale > 0; scale /= 10)
        {
            b.Byte((char)('0' + (value / scale % 10)));
        }

        return b;
    }
}
