//! The XML reader, seen through the messages it lets pass.

use wechat_preauth::wechat::push::{Push, PushError, XmlError};

fn refused(xml: &str) -> XmlError {
    match Push::from_xml(xml) {
        Err(PushError::Unreadable(error)) => error,
        other => panic!("{xml}: {other:?}"),
    }
}

fn field(inner: &str) -> String {
    format!("<xml><InfoType>x</InfoType><f>{inner}</f></xml>")
}

fn value(inner: &str) -> String {
    match Push::from_xml(&field(inner)) {
        Ok(Push::Event { detail, .. }) => detail["f"].as_str().unwrap().to_owned(),
        other => panic!("{inner}: {other:?}"),
    }
}

#[test]
fn text_is_read_however_it_is_written() {
    for (inner, expected) in [
        ("plain", "plain"),
        ("<![CDATA[cdata]]>", "cdata"),
        ("\n  <![CDATA[ kept ]]>\t\r\n ", " kept "),
        ("\n  trimmed inside stays \n", "trimmed inside stays"),
        ("a<![CDATA[<b>&amp;]]>c", "a<b>&amp;c"),
        ("<![CDATA[a]]]]><![CDATA[>b]]>", "a]]>b"),
        ("&lt;&gt;&amp;&apos;&quot;", "<>&'\""),
        ("&#24494;&#x4fe1;&#x1F600;", "微信😀"),
        ("&#32;x&#32;", " x "),
        ("a&amp;lt;b", "a&lt;b"),
        ("a<!-- not & text -->b", "ab"),
        ("<!-- nothing -->", ""),
        ("line\r\nline\rline", "line\nline\nline"),
        ("<![CDATA[line\r\nline]]>", "line\nline"),
        ("<![CDATA[]]>", ""),
        ("  ", ""),
        ("\u{a0}x\u{3000}", "\u{a0}x\u{3000}"),
        ("微信", "微信"),
    ] {
        assert_eq!(value(inner), expected, "{inner:?}");
    }
}

#[test]
fn what_stands_around_the_root_element_does_not_matter() {
    let xml = field("v");
    for (before, after) in [
        ("<?xml version=\"1.0\"?>", ""),
        ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", "\n"),
        ("\u{feff}", ""),
        ("\u{feff}<?xml version='1.0'?>", "\r\n"),
        ("\n <?xml version='1.0'?>", "\n\n"),
        ("<!-- hello -->", "<!-- good-bye -->"),
    ] {
        let whole = format!("{before}{xml}{after}");
        assert!(Push::from_xml(&whole).is_ok(), "{whole:?}");
    }
    let with_attribute = xml.replace("<f>", "<f a=\"1\" b='>'>");
    assert!(Push::from_xml(&with_attribute).is_ok());
}

#[test]
fn documents_that_could_define_something_are_refused() {
    let billion_laughs = "<?xml version=\"1.0\"?><!DOCTYPE lolz [<!ENTITY lol \"lol\">\
        <!ENTITY lol1 \"&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;\">\
        <!ENTITY lol2 \"&lol1;&lol1;&lol1;&lol1;&lol1;&lol1;&lol1;&lol1;&lol1;\">]>\
        <xml><InfoType>&lol2;</InfoType></xml>";
    let external = "<!DOCTYPE xml SYSTEM \"file:///etc/passwd\"><xml/>";
    for xml in [
        billion_laughs,
        external,
        "<!doctype html><xml/>",
        "<xml><!DOCTYPE xml></xml>",
        "<xml/><!DOCTYPE xml>",
    ] {
        assert_eq!(refused(xml), XmlError::Doctype, "{xml}");
    }
    for inner in ["&lol;", "&nbsp;", "&LT;", "&;", "&amp ;"] {
        assert_eq!(refused(&field(inner)), XmlError::Entity, "{inner}");
    }
    for xml in [
        "<?php x?><xml/>",
        "<xml><?xml version=\"1.0\"?></xml>",
        "<xml/><?xml version=\"1.0\"?>",
        "<?xml version=\"1.0\"?><?xml version=\"1.0\"?><xml/>",
        "<!-- --><?xml version=\"1.0\"?><xml/>",
        "<xml><?xml-stylesheet href=\"a\"?></xml>",
    ] {
        assert_eq!(refused(xml), XmlError::Instruction, "{xml}");
    }
}

#[test]
fn characters_that_xml_forbids_are_refused_as_such_and_by_reference() {
    for inner in [
        "\0",
        "\u{1}",
        "\u{b}",
        "\u{1f}",
        "\u{fffe}",
        "\u{ffff}",
        "&#0;",
        "&#1;",
        "&#x1f;",
        "&#xfffe;",
        "&#xd800;",
        "&#x110000;",
        "&#99999999999;",
        "&#;",
        "&#x;",
        "&#+65;",
        "&#-1;",
    ] {
        assert_eq!(refused(&field(inner)), XmlError::Character, "{inner:?}");
    }
}

#[test]
fn ill_formed_documents_are_refused() {
    for (xml, error) in [
        ("", XmlError::Incomplete),
        ("  \n", XmlError::Incomplete),
        ("<?xml version=\"1.0\"?>", XmlError::Incomplete),
        ("<xml>", XmlError::Incomplete),
        ("<xml><a></a>", XmlError::Incomplete),
        // As some samples of WeChat's documentation close it.
        ("<xml><a>1</a><xml>", XmlError::Incomplete),
        ("<xml", XmlError::Syntax),
        ("<xml></xm", XmlError::Syntax),
        ("<xml></html>", XmlError::Syntax),
        ("<xml><a></xml></a>", XmlError::Syntax),
        ("</xml>", XmlError::Syntax),
        ("<xml/></xml>", XmlError::Syntax),
        ("<xml><a>&amp</a></xml>", XmlError::Syntax),
        ("<xml><a>R&D</a></xml>", XmlError::Syntax),
        ("<xml><![CDATA[a</xml>", XmlError::Syntax),
        ("<xml><!-- a</xml>", XmlError::Syntax),
        ("<xml/>x", XmlError::Root),
        ("x<xml/>", XmlError::Root),
        ("<xml/><xml/>", XmlError::Root),
        ("<xml/><![CDATA[]]>", XmlError::Root),
        ("&lt;<xml/>", XmlError::Root),
        ("<html/>", XmlError::Root),
        ("<XML/>", XmlError::Root),
        ("<xml>text</xml>", XmlError::Mixed),
        ("<xml>text<a/></xml>", XmlError::Mixed),
        ("<xml><a/><![CDATA[ ]]></xml>", XmlError::Mixed),
        ("<xml><a><b/>&#32;</a></xml>", XmlError::Mixed),
    ] {
        assert_eq!(refused(xml), error, "{xml}");
    }
}

#[test]
fn names_are_names() {
    for name in ["", "1a", "-a", ".a", "a$b", "a{", "<", "a&amp;", "'a'", "@"] {
        let xml = format!("<xml><{name}>1</{name}></xml>");
        assert!(Push::from_xml(&xml).is_err(), "{name}");
    }
    let named = |name: &str| format!("<xml><{name}>1</{name}></xml>");
    for name in ["a", "_1", "Ab-c.d:e", "公司"] {
        assert!(Push::from_xml(&named(name)).is_ok(), "{name}");
    }
    assert!(Push::from_xml(&named(&"a".repeat(64))).is_ok());
    assert_eq!(refused(&named(&"a".repeat(65))), XmlError::Name);
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| format!("<xml>{}{}</xml>", "<a>".repeat(depth), "</a>".repeat(depth));
    assert!(Push::from_xml(&nested(7)).is_ok());
    assert_eq!(refused(&nested(8)), XmlError::Depth);
    assert_eq!(refused(&"<xml>".repeat(10_000)), XmlError::Depth);
}

#[test]
fn the_number_of_elements_is_bounded() {
    let wide = |count: usize| format!("<xml>{}</xml>", "<a/>".repeat(count));
    assert!(Push::from_xml(&wide(255)).is_ok());
    assert_eq!(refused(&wide(256)), XmlError::Elements);
}

#[test]
fn the_length_of_text_is_bounded() {
    const LIMIT: usize = 16 * 1024;
    assert_eq!(value(&"x".repeat(LIMIT)).len(), LIMIT);
    assert_eq!(refused(&field(&"x".repeat(LIMIT + 1))), XmlError::Text);
    let parts = format!("<![CDATA[{}]]>xx", "x".repeat(LIMIT - 1));
    assert_eq!(refused(&field(&parts)), XmlError::Text);
    assert_eq!(refused(&field(&"&#65;".repeat(LIMIT + 1))), XmlError::Text);
}
