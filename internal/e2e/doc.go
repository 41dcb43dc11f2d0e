// Package e2e opens the observer page in a browser, to see what people see. Its tests need Chromium (Debian: apt-get
// install chromium), and npm for the check of accessibility; what is missing is skipped.
package e2e
